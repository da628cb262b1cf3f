"""Where tasks and threads stand, read by another thread while they go on.

What is read must not be kept from going away: who drops the last reference to a task, or to a
frame that has returned, runs the destructors of all that it had in its hands, and this is not
the thread for that. So a frame is never held on to from one step to the next: for a suspended
coroutine all that is wanted of it is read in one call into C, between whose parts no other
thread runs. And whoever asks for a task's stack is handed what was touched for it, to be let go of
in the thread of its loop. Of code that runs there is no such way: if it returns in the
microseconds in which its frame is read, what it had goes away here.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter
from types import CodeType, FrameType
from typing import Any

from pool_observer.call_site import RawSite
from pool_observer.undisturbed import undisturbed

Stack = list[RawSite]
"""Where each frame stands, the outermost first."""

DEEPEST_STACK = 500
"""Steps taken before giving up: a stack may go round in a circle of tasks that await each other."""

_SUSPENDED = {
    "cr_frame": attrgetter("cr_frame.f_code", "cr_frame.f_lasti", "cr_await"),
    "ag_frame": attrgetter("ag_frame.f_code", "ag_frame.f_lasti", "ag_await"),
    "gi_frame": attrgetter("gi_frame.f_code", "gi_frame.f_lasti", "gi_yieldfrom"),
}
"""Code, instruction, and what is awaited, of a coroutine or generator that is suspended."""


def stack_of_task(task: asyncio.Task[Any], touched: list[Any]) -> Stack:
    """From a task's own coroutine to the innermost that it awaits, in whatever task that runs.

    Empty when it is finished; of one that is running, no more than its own coroutine.
    """
    stack: Stack = []
    touched.append(task)
    awaited: Any = task.get_coro()
    with undisturbed:
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


def tasks_in_groups(touched: list[Any]) -> Iterator[asyncio.Task[Any]]:
    """Tasks that go on in the task groups, asyncio's or AnyIO's, that these coroutines are in."""
    groups = {
        id(referred): referred
        for awaited in touched
        if hasattr(type(awaited), "cr_frame")
        for referred in gc.get_referents(awaited)
        if type(referred).__name__ == "TaskGroup"
        and type(referred).__module__.startswith(("asyncio", "anyio"))
    }
    for group in groups.values():
        for task in list(group.__dict__.get("_tasks", ())):
            if isinstance(task, asyncio.Task) and not task.done():
                yield task


def let_go_of(touched: list[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Have these references dropped in the thread in which the last one ought to be."""
    if loop.is_running():
        with suppress(RuntimeError):  # closed just now
            loop.call_soon_threadsafe(touched.clear)


def _suspended(awaited: Any) -> tuple[CodeType, int, Any] | None:
    for kind, read in _SUSPENDED.items():
        if not hasattr(type(awaited), kind):
            continue  # and no __getattr__ of the application's is asked
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


def stack_of_running(task: asyncio.Task[Any], thread: int | None = None) -> Stack:
    """From a task's own coroutine inward, in the thread that runs it; empty if none does by now.

    The code alone would not tell: all requests of a server run the same. `thread` is the only one
    that may run it, if that is known.
    """
    with undisturbed:
        own = id(getattr(task.get_coro(), "cr_frame", None))
        frames = sys._current_frames()
        while frames:
            identifier, frame = frames.popitem()
            stack: Stack = []
            step: FrameType | None = frame if thread in (None, identifier) else None
            del frame
            while step is not None and len(stack) < DEEPEST_STACK:
                stack.append((step.f_code, step.f_lasti))
                if id(step) == own:
                    stack.reverse()
                    return stack
                step = step.f_back
    return []


def stacks_of_threads() -> dict[int, Stack]:
    """Where every thread stands that runs Python code, by its identifier."""
    stacks = {}
    with undisturbed:
        frames = sys._current_frames()
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
