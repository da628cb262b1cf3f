"""What an engine is, and how it opens its connections: by itself, or by a user's function."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Engine


def engine_proper(engine: object, asked: str) -> Engine:
    """The engine that an `AsyncEngine` wraps, or this one; and if it is none, who asked for it."""
    inner = getattr(engine, "sync_engine", engine)
    if not isinstance(inner, Engine):
        raise TypeError(
            f"{asked} takes what create_engine() or create_async_engine() returned, "
            f"not {type(engine).__name__}"
        )
    return inner


def connect_options(engine: Engine) -> Mapping[str, Any] | None:
    """What `create_engine()` gives the driver; None if somebody else has the last word."""
    create: Any = engine.pool._creator
    dispatch: Any = engine.dialect.dispatch
    if dispatch.do_connect or getattr(create, "__module__", None) != "sqlalchemy.engine.create":
        return None
    return _options(create)


def _options(create: Any) -> Mapping[str, Any] | None:
    try:
        names = create.__code__.co_freevars
        options: Mapping[str, Any] = create.__closure__[names.index("cparams")].cell_contents
    except (AttributeError, TypeError, ValueError):  # another SQLAlchemy, or a user's
        return None
    return options


def needs_the_loop_of_the_application(engine: Engine) -> bool:
    """Whether a coroutine function of the user's opens its connections, or helps to."""
    if not engine.dialect.is_async:
        return False
    create: Any = engine.pool._creator
    if getattr(create, "__module__", None) != "sqlalchemy.engine.create":
        return True  # `async_creator`
    options = _options(create) or {}
    return any(inspect.iscoroutinefunction(value) for value in options.values())
