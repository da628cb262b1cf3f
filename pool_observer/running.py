"""Runs a function, coroutine or generator inside a context manager, in every step it takes.

A generator shares its caller's context variables, so what it sets would hold for the caller
too between two items. Here the manager is left before each item and entered again after it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

Manager = AbstractContextManager[Any]


def run_inside(manager: Manager, function: Callable[P, T]) -> Callable[P, T]:
    """The function, of the same kind and signature, running inside the manager."""
    if inspect.isclass(function) or not callable(function):
        raise TypeError(
            f"only functions can be decorated, not {function!r}; of a class decorate its methods, "
            "below @classmethod or @staticmethod"
        )
    wrapper: Any
    if inspect.iscoroutinefunction(function):

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with manager:
                return await cast(Any, function)(*args, **kwargs)

    elif inspect.isasyncgenfunction(function):

        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            steps = cast(Any, function)(*args, **kwargs)
            try:
                with manager:
                    item = await anext(steps)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        with manager:
                            item = await steps.athrow(error)
                    else:
                        with manager:
                            item = await steps.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                with manager:
                    await steps.aclose()

    elif inspect.isgeneratorfunction(function):

        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            steps = cast(Any, function)(*args, **kwargs)
            try:
                with manager:
                    item = next(steps)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        with manager:
                            item = steps.throw(error)
                    else:
                        with manager:
                            item = steps.send(sent)
            except StopIteration as stop:
                return stop.value
            finally:
                with manager:
                    steps.close()

    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with manager:
                result: Any = function(*args, **kwargs)
            # A plain function may return a coroutine: somebody else's decorator, for example.
            return await_inside(manager, result) if inspect.iscoroutine(result) else result

    return cast("Callable[P, T]", functools.wraps(function)(wrapper))


async def await_inside(manager: Manager, coroutine: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine inside the manager."""
    with manager:
        return await coroutine
