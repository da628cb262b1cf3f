"""A request as a holder: named by its route as soon as somebody wants to know."""

from __future__ import annotations

import inspect
from asyncio import current_task
from asyncio.events import _get_running_loop
from types import CodeType
from weakref import ref

from pool_observer.asgi.routes import Essence, RouteNames, essence_of, scope_from
from pool_observer.asgi_types import Scope
from pool_observer.holder import DerivedHolder, Expectation, current_holder
from pool_observer.progress import RequestProgress

MARK = "pool_observer.request"
"""Key by which a scope, and every copy of it, knows its request. It does not refer to it."""


class Request:
    """One request, or one WebSocket, for as long as anything refers to it.

    That may be long after its end: tasks it has started, and connections to the database
    that were opened in it, keep its context. So at its end it lets go of the scope, which
    may hold anything, and keeps what it takes to name it.
    """

    __slots__ = ("_essence", "_name", "_names", "_scope", "progress")

    _essence: Essence
    """What is left of the scope after the end."""

    def __init__(self, scope: Scope, names: RouteNames) -> None:
        self._scope: Scope | None = scope
        self._names = names
        self._name: str | None = None
        self.progress = RequestProgress()
        scope[MARK] = self.progress

    @property
    def expectation(self) -> Expectation | None:
        return None

    def is_routed_by(self, scope: Scope) -> None:
        """Take note that routing is going to fill in this scope, which may be a copy."""
        if self.progress.detached_at is None:
            self._scope = scope
            self.runs_here()

    def runs_here(self) -> None:
        """Take note that it is answered in this task. Middleware may have come in by another."""
        loop = _get_running_loop()  # None where the server is not asyncio's
        task = None if loop is None else current_task(loop)
        if task is not None:
            self.progress.task = ref(task)

    def name(self) -> str:
        if self._name is not None:
            return self._name
        scope = self._scope
        over = scope is None
        if scope is None:
            scope = scope_from(self._essence)
        name = self._names.routed(scope) or self._names.asked(scope)
        if over:  # nothing will change it any more
            self._name = name
        return name

    def endpoint(self) -> CodeType | None:
        scope = self._scope
        function = None if scope is None else scope.get("endpoint")
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        return code if isinstance(code, CodeType) else None

    def ends(self, now: int) -> None:
        """The application has returned."""
        scope = self._scope
        assert scope is not None
        self._essence = essence_of(scope)
        self._scope = None
        self.progress.claims = None
        self.progress.detached_at = now


def current_request() -> Request | None:
    """The request in which the code that is running now was called."""
    holder = current_holder.get()
    while isinstance(holder, DerivedHolder):
        holder = holder.outer
    return holder if isinstance(holder, Request) else None


def request_of(scope: Scope) -> Request | None:
    """The request that has been made of this scope already, or of what it is a copy of."""
    request = current_request()
    if request is None or scope.get(MARK) is not request.progress:
        return None
    return request
