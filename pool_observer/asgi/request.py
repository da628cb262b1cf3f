"""A request as a holder: named by its route as soon as somebody wants to know."""

from __future__ import annotations

from contextlib import suppress

from pool_observer.asgi.routes import RouteNames, essence
from pool_observer.asgi.types import Scope
from pool_observer.holder import DerivedHolder, Expectation, current_holder
from pool_observer.progress import RequestProgress


class Request:
    """One request, or one WebSocket, for as long as anything refers to it.

    That may be long after its end: tasks it has started, and connections to the database
    that were opened in it, keep its context. So at its end it lets go of the scope, which
    may hold anything, and keeps what it takes to name it.
    """

    __slots__ = ("_name", "_names", "_scope", "progress")

    def __init__(self, scope: Scope, names: RouteNames) -> None:
        self._scope: Scope | None = scope
        self._names = names
        self._name: str | None = None
        self.progress = RequestProgress()

    @property
    def expectation(self) -> Expectation | None:
        return None

    def is_of(self, scope: Scope) -> bool:
        return self._scope is scope

    def is_routed_by(self, scope: Scope) -> bool:
        """Take note that routing fills in this scope: it may be a copy. False after the end."""
        if self.progress.detached_at is not None:
            return False
        self._scope = scope
        return True

    def name(self) -> str:
        scope = self._scope
        if scope is None:
            assert self._name is not None
            return self._name
        name = self._names.routed(scope) or self._names.asked(scope)
        if self.progress.detached_at is not None:  # nothing will change it any more
            self._name, self._scope = name, None
        return name

    def ends(self, now: int) -> None:
        """The application has returned."""
        scope = self._scope
        assert scope is not None
        with suppress(Exception):  # whoever wants the name asks again, and counts the failure
            self._name = self._names.routed(scope)
        self._scope = None if self._name else essence(scope)
        self.progress.claims = None
        self.progress.detached_at = now


def current_request() -> Request | None:
    """The request in which the code that is running now was called."""
    holder = current_holder.get()
    while isinstance(holder, DerivedHolder):
        holder = holder.outer
    return holder if isinstance(holder, Request) else None
