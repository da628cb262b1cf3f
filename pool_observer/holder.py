"""On whose behalf the code that is running now would hold a connection.

One context variable, set by the middleware for a request and by `holding()` for anything
else. It reaches threads started by `asyncio.to_thread`, SQLAlchemy's greenlets and detached
tasks by itself. It is read when a connection is asked for, never when it is returned: a
return may happen in another context, or in the garbage collector.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from types import CodeType
from typing import Protocol

from pool_observer.model import UNATTRIBUTED
from pool_observer.progress import RequestProgress


@dataclass(frozen=True, slots=True)
class Expectation:
    """How long a connection may be out before it is overdue, where somebody knows better."""

    limit_ns: float
    reason: str


class Holder(Protocol):
    """Somebody who takes connections. Its name may be known later: routing comes late."""

    @property
    def progress(self) -> RequestProgress | None:
        """The request it is part of, if it is."""

    @property
    def expectation(self) -> Expectation | None:
        """How long its connections may be out, if somebody has said so."""

    def name(self) -> str:
        """Its name, as it is known by now."""

    def endpoint(self) -> CodeType | None:
        """The code that answers the request, while it is being answered and if that is known."""


class DerivedHolder:
    """A part of what another holder does, with a name or an expectation of its own."""

    __slots__ = ("_name", "expectation", "made_by", "outer", "progress")

    def __init__(
        self,
        outer: Holder | None,
        made_by: object,
        *,
        name: str | None = None,
        expectation: Expectation | None = None,
    ) -> None:
        self.outer = outer
        self.made_by = made_by
        self._name = name
        self.progress = None if outer is None else outer.progress
        inherited = None if outer is None else outer.expectation
        self.expectation = expectation or inherited

    def name(self) -> str:
        if self._name is not None:
            return self._name
        return UNATTRIBUTED if self.outer is None else self.outer.name()

    def endpoint(self) -> CodeType | None:
        return None if self.outer is None else self.outer.endpoint()


current_holder: ContextVar[Holder | None] = ContextVar("pool_observer_holder", default=None)
