"""Loads what a user names on the command line: `app.db:engine`."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from pool_observer.audit.gathering import as_factory, bound_to, engine_proper
from pool_observer.wording import one_line


class LoadingError(Exception):
    """What was named cannot be had; the message says in a line what to do about it."""


def load(target: str, accepts: Callable[[Any], bool], what: str) -> Any:
    """What `module:attribute` stands for, or what it returns if it is a function of no arguments.

    :param accepts: whether an object is what is looked for.
    :param what: what that is, in words.
    """
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        raise LoadingError(f"{target!r} is not of the form module:attribute, as in app.db:engine")
    found: Any = _imported(module_name)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LoadingError(
                f"{module_name} has no {path!r}; name the variable that holds {what}"
            ) from None
    if not accepts(found) and inspect.isfunction(found) and not _requires_arguments(found):
        found = _called(found, target)
    if not accepts(found):
        raise LoadingError(
            f"{target} is not {what}, but {_article(type(found).__name__)}; "
            "name the variable that holds it, or a function without arguments that returns it"
        )
    return found


def is_engine(candidate: Any) -> bool:
    """Whether it is what `create_engine()` or `create_async_engine()` returned."""
    try:
        engine_proper(candidate)
    except TypeError:
        return False
    return True


def is_app(candidate: Any) -> bool:
    """Whether it is a FastAPI or Starlette application."""
    return not isinstance(candidate, type) and hasattr(candidate, "routes")


def is_factory(candidate: Any) -> bool:
    """Whether it is a factory of sessions."""
    return as_factory(candidate) is not None


def factories_beside(target: str, engine: object) -> list[object]:
    """The factories of sessions on an engine in the module that it was loaded from."""
    module = sys.modules.get(target.partition(":")[0])
    proper = engine_proper(engine)
    found = []
    for value in vars(module).values() if isinstance(module, ModuleType) else ():
        with contextlib.suppress(Exception):  # a proxy that answers to nobody outside a request
            factory = as_factory(value)
            if factory is not None and bound_to(factory) is proper:
                found.append(value)
    return found


def _imported(name: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        # What it prints is not part of our report.
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name == missing or name.startswith(f"{missing}."):
            raise LoadingError(
                f"there is no module {missing!r}; run this in the folder that you start your "
                "server in"
            ) from error
        raise LoadingError(
            f"importing {name} failed: {_last_line(error)}; run this in the environment that the "
            "application runs in"
        ) from error
    except (Exception, SystemExit) as error:
        raise LoadingError(
            f"importing {name} failed: {_last_line(error)}; set what it needs to be imported, "
            "such as its environment variables"
        ) from error


def _called(function: Callable[[], Any], target: str) -> Any:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return function()
    except (Exception, SystemExit) as error:
        raise LoadingError(f"calling {target} failed: {_last_line(error)}") from error


def _requires_arguments(function: Callable[..., Any]) -> bool:
    return any(
        parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in inspect.signature(function).parameters.values()
    )


def _last_line(error: BaseException) -> str:
    """What a traceback ends with, without the password of a URL."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
    return one_line(re.sub(r"(://[^/\s:@]*):[^/\s]*@", r"\1:***@", text))


def _article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"
