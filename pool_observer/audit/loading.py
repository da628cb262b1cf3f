"""Loads what a user names on the command line: `app.db:engine`."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

from pool_observer.audit.complaints import in_a_line
from pool_observer.audit.gathering import as_factory, bound_to
from pool_observer.hooks.creators import engine_proper


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
    if not all(name.isidentifier() for name in path.split(".")):
        raise LoadingError(
            f"{target!r} is not of the form module:attribute; what is in a list or a dict needs a "
            f"variable of its own, or a function without arguments that returns {what}"
        )
    found: Any = _imported(module_name)
    for name in path.split("."):
        with _in_words(f"reading {target} failed"):
            try:
                found = getattr(found, name)
            except AttributeError:
                raise LoadingError(
                    f"{module_name} has no {path!r}; name the variable that holds {what}"
                ) from None
    accepted = _accepted(found, accepts)
    if not accepted and _makes_something(found):
        found = _called(found, target)
        accepted = _accepted(found, accepts)
    if not accepted:
        raise LoadingError(
            f"{target} is not {what}, but {_described(found)}; "
            "name the variable that holds it, or a function without arguments that returns it"
        )
    return found


def look_in(folder: str) -> None:
    """Have modules of this folder found before others."""
    sys.path.insert(0, os.path.abspath(folder))


def is_engine(candidate: Any) -> bool:
    """Whether it is what `create_engine()` or `create_async_engine()` returned."""
    try:
        engine_proper(candidate, "check")
    except TypeError:
        return False
    return True


def is_app(candidate: Any) -> bool:
    """Whether it is a FastAPI or Starlette application."""
    return not isinstance(candidate, type) and isinstance(candidate.routes, Iterable)


def is_factory(candidate: Any) -> bool:
    """Whether it is a factory of sessions."""
    return as_factory(candidate) is not None


def factories_beside(target: str, engine: object) -> list[object]:
    """The factories of sessions on an engine in the module that it was loaded from."""
    module = sys.modules.get(target.partition(":")[0])
    proper = engine_proper(engine, "check")
    found = []
    for value in vars(module).values() if isinstance(module, ModuleType) else ():
        with contextlib.suppress(Exception):  # a proxy that answers to nobody outside a request
            factory = as_factory(value)
            if factory is not None and bound_to(factory) is proper:
                found.append(value)
    return found


def _imported(name: str) -> ModuleType:
    failed = f"importing {name} failed"
    with _in_words(failed, "set what it needs to be imported, such as its environment variables"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or name
            if name == missing or name.startswith(f"{missing}."):
                raise LoadingError(
                    f"there is no module {missing!r}; run this in the folder that you start your "
                    "server in"
                ) from error
            raise LoadingError(
                f"{failed}: {in_a_line(error)}; run this in the environment that the application "
                "runs in"
            ) from error


@contextlib.contextmanager
def _in_words(failed: str, mend: str = "") -> Iterator[None]:
    """Around code of theirs: whatever it raises is said in a line."""
    arguments = sys.argv
    sys.argv = arguments[:1]  # the rest are not for them to parse
    try:
        # What it prints is not part of our report.
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (KeyboardInterrupt, LoadingError):
        raise
    except BaseException as error:  # among them SystemExit, and what they derive from it
        raise LoadingError(
            "; ".join(filter(None, (f"{failed}: {in_a_line(error)}", mend)))
        ) from error
    finally:
        sys.argv = arguments


def _accepted(found: Any, accepts: Callable[[Any], bool]) -> bool:
    try:
        return accepts(found)
    except Exception:  # a proxy that answers to nobody outside a request
        return False


def _called(function: Callable[[], Any], target: str) -> Any:
    with _in_words(f"calling {target} failed"):
        made = function()
    if inspect.iscoroutine(made):
        made.close()
        raise LoadingError(
            f"{target} is an `async def`, which only an event loop can run; name the variable that "
            "holds what it returns, or a plain function without arguments that returns it"
        )
    return made


def _makes_something(found: Any) -> bool:
    """Whether it is a function that needs no arguments, or was made of one."""
    try:
        made_of_one = inspect.isfunction(getattr(found, "__wrapped__", None))
        if not (
            made_of_one
            or inspect.isfunction(found)
            or inspect.ismethod(found)
            or isinstance(found, functools.partial)
        ):
            return False
        parameters = inspect.signature(found).parameters.values()
    except Exception:  # it only looks like one
        return False
    return all(
        parameter.default is not parameter.empty
        or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters
    )


def _described(found: Any) -> str:
    name = "class" if isinstance(found, type) else type(found).__name__
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"
