"""On whose behalf the code that is running now would hold a connection.

One context variable, set by the middleware for a request and by `holding()` for anything
else. It reaches threads started by `asyncio.to_thread`, SQLAlchemy's greenlets and detached
tasks by itself. It is read when a connection is asked for, never when it is returned: a
return may happen in another context, or in the garbage collector.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class LateHolder(Protocol):
    """A holder whose name is not known yet when it takes a connection: routing comes later."""

    def name(self) -> str:
        """The holder's name, as it is known by now."""


Holder = str | LateHolder

current_holder: ContextVar[Holder | None] = ContextVar("pool_observer_holder", default=None)
