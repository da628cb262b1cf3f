"""Who awaits a task, which has none of its caller's frames: `gather()`, `shield()` and groups run
what they are given in tasks of their own, as SQLAlchemy does the end of `sessions.begin()`.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop
from collections.abc import Callable, Iterator
from functools import partial
from types import BuiltinMethodType, FrameType, FunctionType, MethodType
from typing import Any

from pool_observer.failures import Failures

FURTHEST = 10
"""Tasks that await one another, and futures in between, before it is given up."""

_INNER = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""Of a coroutine or generator: its frame, and what it awaits."""


def frames_of_awaiting(failures: Failures) -> Callable[[], Iterator[FrameType]]:
    """Of the task that awaits the current one, the innermost first; then of who awaits that.

    What it reads is nobody's promise, and a hold without a line is better than none.
    """

    def frames() -> Iterator[FrameType]:
        try:
            yield from _frames()
        except Exception:
            failures.note("finding who awaits a task")

    return frames


def _frames() -> Iterator[FrameType]:
    task = asyncio.current_task() if _get_running_loop() is not None else None
    for _ in range(FURTHEST):
        task = None if task is None else _awaiting(task)
        if task is None:
            return
        yield from reversed(_frames_of(task))


def _awaiting(task: asyncio.Task[Any]) -> asyncio.Task[Any] | None:
    """The task that goes on when this one is done, if one does."""
    futures: list[Any] = [task]
    for future in futures:  # which become more on the way
        for callback in _callbacks(future):
            # A task that a closure has is another one's, or this one: who awaits is woken.
            if isinstance(callback, MethodType | BuiltinMethodType):
                goes_on = _who_goes_on(callback.__self__)
                if goes_on is not None:
                    return goes_on
            for held in _held_by(callback):
                if isinstance(held, asyncio.Task):
                    continue
                goes_on = _who_goes_on(held)
                if goes_on is not None:
                    return goes_on
                if asyncio.isfuture(held) and len(futures) < FURTHEST:
                    futures.append(held)
    return None


def _who_goes_on(owner: Any) -> asyncio.Task[Any] | None:
    """The task itself, or the one that goes on after a group of tasks, asyncio's or AnyIO's."""
    if isinstance(owner, asyncio.Task):
        return owner
    if type(owner).__name__ != "TaskGroup":
        return None
    scope = getattr(owner, "cancel_scope", None)
    host = getattr(owner, "_parent_task", None) or getattr(scope, "_host_task", None)
    return host if isinstance(host, asyncio.Task) else None


def _callbacks(future: Any) -> list[Any]:
    return [callback for callback, *_ in getattr(future, "_callbacks", None) or ()]


def _held_by(callback: Any) -> Iterator[Any]:
    """What a callback has of its own: a partial's arguments, a closure's variables.

    Other objects are left alone: to ask them might run code of the application.
    """
    if isinstance(callback, partial):
        yield from callback.args
    elif isinstance(callback, FunctionType):
        for cell in callback.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not bound yet
                continue


def _frames_of(task: asyncio.Task[Any]) -> list[FrameType]:
    """From the task's own coroutine to the innermost that is suspended in it."""
    frames: list[FrameType] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        for its_frame, its_await in _INNER:
            frame = getattr(awaited, its_frame, None)
            if frame is not None:
                frames.append(frame)
                awaited = getattr(awaited, its_await)
                break
        else:
            break
    return frames
