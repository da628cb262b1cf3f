"""Within what connections are nested: a request, or outside of requests a task or a thread."""

from __future__ import annotations

import asyncio
import weakref
from asyncio.events import _get_running_loop
from collections.abc import Hashable
from typing import Any

from pool_observer.holder import current_holder
from pool_observer.hooks.greenlets import current_owner, getcurrent


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
