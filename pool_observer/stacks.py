"""Where tasks and threads stand, read by another thread while they go on.

What is read must not be kept from going away: who drops the last reference to a task, or to a
frame that has returned, runs the destructors of all that it had in its hands, and this is not
the thread for that. So a frame is never held on to from one step to the next: for a suspended
coroutine all that is wanted of it is read in one call into C, between whose parts no other
thread runs. And whoever asks for a task's stack is handed what was touched for it, to be let go of
in the thread of its loop.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import suppress
from operator import attrgetter
from types import CodeType, FrameType
from typing import Any

from pool_observer.call_site import RawSite

Stack = list[RawSite]
"""Where each frame stands, the outermost first."""

DEEPEST_STACK = 500
"""Steps taken before giving up: a stack may go round in a circle of tasks that await each other."""

_SUSPENDED = (
    attrgetter("cr_frame.f_code", "cr_frame.f_lasti", "cr_await"),
    attrgetter("ag_frame.f_code", "ag_frame.f_lasti", "ag_await"),
    attrgetter("gi_frame.f_code", "gi_frame.f_lasti", "gi_yieldfrom"),
)
"""Code, instruction, and what is awaited, of a coroutine or generator that is suspended."""


def stack_of_task(task: asyncio.Task[Any], touched: list[Any]) -> Stack:
    """From a task's own coroutine to the innermost that it awaits, in whatever task that runs.

    Empty when it is finished; of one that is running, no more than its own coroutine.
    """
    stack: Stack = []
    touched.append(task)
    awaited: Any = task.get_coro()
    for _ in range(DEEPEST_STACK):
        if awaited is None:
            break
        touched.append(awaited)
        step = _suspended(awaited)
        if step is None:
            awaited = _behind(awaited)
        else:
            code, instruction, awaited = step
            stack.append((code, instruction))
    return stack


def let_go_of(touched: list[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Have these references dropped in the thread in which the last one ought to be."""
    if loop.is_running():
        with suppress(RuntimeError):  # closed just now
            loop.call_soon_threadsafe(touched.clear)


def _suspended(awaited: Any) -> tuple[CodeType, int, Any] | None:
    for read in _SUSPENDED:
        try:
            return read(awaited)
        except AttributeError:  # of another kind, or finished
            continue
    return None


def _behind(awaited: Any) -> Any:
    """What an awaitable waits for that does not say so: the next step of an async generator,
    the iterator of a future, a task, several of them at a time.
    """
    if isinstance(awaited, asyncio.Task):
        return awaited.get_coro()
    if asyncio.isfuture(awaited):
        for child in getattr(awaited, "_children", ()):  # of asyncio.gather()
            if not child.done():
                return child
        return None
    for referred in gc.get_referents(awaited):
        if asyncio.isfuture(referred) or _suspended(referred) is not None:
            return referred
    return None


def is_running(task: asyncio.Task[Any]) -> bool:
    """Whether the task is executing at this instant, in the thread of its loop."""
    coroutine = task.get_coro()
    return bool(getattr(coroutine, "cr_running", False) or getattr(coroutine, "gi_running", False))


def stacks_of_threads() -> dict[int, Stack]:
    """Where every thread stands that runs Python code, by its identifier."""
    frames = sys._current_frames()
    stacks = {}
    while frames:
        identifier, frame = frames.popitem()
        stacks[identifier] = stack_of_frame(frame)
        del frame
    return stacks


def stack_of_frame(frame: FrameType | None) -> Stack:
    """From the outermost caller down to this frame."""
    stack: Stack = []
    while frame is not None and len(stack) < DEEPEST_STACK:
        stack.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    stack.reverse()
    return stack
