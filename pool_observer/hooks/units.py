"""What a connection is asked for by: a task, a greenlet or a thread; and within what connections
are nested: a request, or outside of requests one of those.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from asyncio.events import _get_running_loop
from collections.abc import Hashable
from typing import Any

from pool_observer.claim import Runner
from pool_observer.holder import current_holder
from pool_observer.hooks.greenlets import current_owner, getcurrent


def runner_of(owner: Any) -> Runner:
    """The task, greenlet or thread that asks.

    Known weakly, for what has failed with a connection in its hands may be all that still
    refers to it; the garbage collector is then the one who returns it.
    """
    loop = _get_running_loop()
    if loop is not None:
        task = asyncio.current_task(loop)
        if task is not None:
            return weakref.ref(task)
    if getcurrent is None or owner.parent is None:
        return weakref.ref(threading.current_thread())
    return weakref.ref(owner)


def current_unit() -> Hashable:
    """The request, task or thread that is running."""
    holder = current_holder.get()
    if holder is not None and holder.progress is not None:
        return holder.progress
    return runner_of(current_owner())
