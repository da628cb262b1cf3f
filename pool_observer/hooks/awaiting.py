"""Who awaits a task, which has none of its caller's frames: `gather()`, `shield()` and groups run
what they are given in tasks of their own, as SQLAlchemy does the end of `sessions.begin()`.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop
from collections.abc import Iterator
from types import FrameType
from typing import Any

FURTHEST = 10
"""Tasks that await one another, and futures in between, before it is given up."""

_INNER = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""Of a coroutine or generator: its frame, and what it awaits."""


def frames_of_awaiting() -> Iterator[FrameType]:
    """Of the task that awaits the current one, the innermost first; then of who awaits that."""
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
            for owner in (getattr(callback, "__self__", None), *_held_by(callback)):
                awaiting = _who_goes_on(owner)
                if awaiting is not None and awaiting is not task:
                    return awaiting
                if awaiting is None and asyncio.isfuture(owner) and len(futures) < FURTHEST:
                    futures.append(owner)
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
    """What a callback has of its own: a closure's variables, a partial's arguments."""
    yield from getattr(callback, "args", ())
    for cell in getattr(callback, "__closure__", None) or ():
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
