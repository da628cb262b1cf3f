"""SQLAlchemy's asyncio support runs its synchronous core in greenlets; so stacks come in parts."""

from __future__ import annotations

import asyncio
import threading
import weakref
from asyncio.events import _get_running_loop
from collections.abc import Callable, Hashable, Iterator
from types import FrameType
from typing import Any

from pool_observer.holder import current_holder

getcurrent: Callable[[], Any] | None
try:
    import greenlet
except ImportError:  # a synchronous application on a machine without greenlet
    getcurrent = None
else:
    getcurrent = greenlet.getcurrent

current_owner: Callable[[], object] = getcurrent or threading.get_ident
"""What waits: the current greenlet (each thread has one of its own), or else the thread."""


def unit_of(owner: Any) -> Hashable:
    """The task, greenlet or thread that asks: what it holds already, it holds at a time.

    Known weakly, for what has failed with a connection in its hands may be all that still
    refers to it; the garbage collector is then the one who returns it.
    """
    if _get_running_loop() is not None:
        task = asyncio.current_task()
        if task is not None:
            return weakref.ref(task)
    if getcurrent is None or owner.parent is None:
        return owner  # type: ignore[no-any-return]  # a thread, or the greenlet that stands for it
    return weakref.ref(owner)


def current_unit() -> Hashable:
    """The request, task or thread that is running."""
    holder = current_holder.get()
    if holder is not None and holder.progress is not None:
        return holder.progress
    return unit_of(current_owner())


def stacks_beyond() -> Iterator[FrameType]:
    """The innermost frame of each greenlet that waits for the current one to finish.

    For an `AsyncSession` that is the awaiting coroutine of the application.
    """
    if getcurrent is None:
        return
    outer = getcurrent().parent
    while outer is not None:
        if outer.gr_frame is not None:
            yield outer.gr_frame
        outer = outer.parent
