"""SQLAlchemy's asyncio support runs its synchronous core in greenlets; so stacks come in parts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

getcurrent: Callable[[], Any] | None
try:
    import greenlet
except ImportError:  # a synchronous application on a machine without greenlet
    getcurrent = None
else:
    getcurrent = greenlet.getcurrent

current_owner: Callable[[], object] = getcurrent or threading.get_ident
"""What waits: the current greenlet (each thread has one of its own), or else the thread."""


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
