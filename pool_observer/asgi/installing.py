"""Puts the middleware around a FastAPI or Starlette application, once, and takes it off again.

Not with `add_middleware()`: that refuses once the application has started, and it leaves the
handler of unexpected exceptions outside, which may well want a connection.

There are two places. Around everything is where requests are named; and at the entrance to the
routes we see what middleware in between hides from outside. Other tools work on the outermost
place too (OpenTelemetry refuses to, unless it finds there what Starlette has made), so we give
way, and come back to it when something has come in that nobody has named.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from pool_observer.asgi.endpoints import Endpoint, Endpoints
from pool_observer.asgi.middleware import REQUESTS, PoolObserverMiddleware
from pool_observer.asgi.request import request_of
from pool_observer.asgi.sending import noting_send
from pool_observer.asgi_types import App, Receive, Scope, Send
from pool_observer.overrides import Override


def check_app(app: Any) -> None:
    """Refuse an application whose requests we cannot name on our own account."""
    if not callable(getattr(app, "build_middleware_stack", None)) or not hasattr(app, "router"):
        raise TypeError(
            f"observe(engine, app) takes a FastAPI or Starlette application, not "
            f"{type(app).__name__}; put PoolObserverMiddleware(app) around any other ASGI "
            "application yourself, and leave it out here"
        )


class Observing(Protocol):
    """What is needed of an observer."""

    def note_failure(self, place: str) -> None: ...
    def follow_running_loop(self) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """An observer that wants the requests of an application named, for as long as it exists."""

    server_timing: bool
    endpoints: Mapping[str, App]
    observer: weakref.ref[Observing]

    @property
    def is_there(self) -> bool:
        """Whether the observer still exists: one goes with its engine, and says nothing."""
        return self.observer() is not None


def answering_at(app: Any, path: str) -> App | None:
    """What observers of this application answer with on a path already."""
    installation = _installation_on(app)
    for user in () if installation is None else installation.users:
        if user.is_there and path in user.endpoints:
            return user.endpoints[path]
    return None


def check_endpoints(app: Any, endpoints: Mapping[str, App]) -> None:
    """Refuse to answer on a path on which another observer answers differently."""
    installation = _installation_on(app)
    for user in () if installation is None else installation.users:
        for path, answering in user.endpoints.items():
            if user.is_there and endpoints.get(path, answering) != answering:
                raise ValueError(
                    f"{path} of this application shows something else already, for another "
                    f'observer; give this one the same registry, or metrics_path="{path}-2"'
                )


def install(
    app: Any,
    observer: Observing,
    *,
    server_timing: bool = False,
    endpoints: Mapping[str, App] = MappingProxyType({}),
) -> Installation:
    """Name the requests of this application, until the observer is removed from what is returned.

    Several observers may ask for it; the last to leave takes it off. `endpoints` are paths
    that are answered, unless the application has a route of its own for them.
    """
    installation = _installation_on(app) or Installation(app)
    installation.add(User(server_timing, endpoints, weakref.ref(observer)))
    return installation


def _installation_on(app: Any) -> Installation | None:
    """What is installed on an application already."""
    installation: Installation | None = getattr(
        app.__dict__.get("build_middleware_stack"), "installation", None
    )
    # It may have left, while others keep its traces.
    return installation if installation is not None and installation.users else None


class Installation:
    """The middleware on one application."""

    def __init__(self, app: Any) -> None:
        self.users: list[User] = []
        self._endpoints = Endpoints()
        self._app = app
        self._middlewares: list[PoolObserverMiddleware] = []
        self._outermost: PoolObserverMiddleware | None = None
        self._build = app.build_middleware_stack
        self._route: App = app.router.middleware_stack
        self._innermost = self._made(self._route)
        self._overrides = [
            Override(app, "build_middleware_stack", self._observed_build()),
            Override(app.router, "middleware_stack", self._enter),
        ]

    def add(self, user: User) -> None:
        """Do as this user wants too, and no longer as the same observer has wanted before."""
        self._without(user.observer())
        self.users = [*self.users, user]
        self._apply()

    def remove(self, observer: Observing) -> None:
        """Do nothing more for this observer."""
        self._without(observer)
        self._apply()

    def _without(self, observer: Observing | None) -> None:
        self.users = [user for user in self.users if user.observer() is not observer]

    def _apply(self) -> None:
        """Do as the users want; without any, leave."""
        self.users = [user for user in self.users if user.is_there]
        self._endpoints.replace(
            {path: app for user in reversed(self.users) for path, app in user.endpoints.items()}
        )
        for middleware in self._middlewares:
            self._adjust(middleware)
        if self.users:
            self._surround()
            return
        for override in self._overrides:
            override.undo()
        if self._outermost is not None and self._app.middleware_stack is self._outermost:
            self._app.middleware_stack = self._outermost.app

    # -- around everything -------------------------------------------------------------------

    def _observed_build(self) -> Callable[[], App]:
        def build_middleware_stack() -> App:
            stack: App = self._build()
            if self._app.__dict__.get("build_middleware_stack") is not build_middleware_stack:
                return stack  # to another tool, which expects what Starlette makes
            return self._around(stack)

        build_middleware_stack.installation = self  # type: ignore[attr-defined]
        return build_middleware_stack

    def _surround(self) -> None:
        """Put the middleware around an application that has started without it."""
        stack = self._app.middleware_stack
        if stack is not None and stack is not self._outermost:
            self._app.middleware_stack = self._around(stack)

    def _around(self, app: App) -> PoolObserverMiddleware:
        self._outermost = self._made(app)
        self._outermost.notes_sending = False  # the entrance to the routes does
        return self._outermost

    # -- at the entrance to the routes -------------------------------------------------------

    def _enter(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        kind = scope["type"]
        request = request_of(scope) if kind in REQUESTS else None
        if request is not None:
            # Middleware may have made a copy of the scope, and may pass on the response later
            # than it is sent from here.
            request.is_routed_by(scope)
        if kind == "lifespan":
            self._follow_running_loop()
        elif kind == "http" and scope["path"].endswith(self._endpoints.endings):
            endpoint = self._endpoint_of(scope)
            if endpoint is not None:
                self._follow_running_loop()
                scope["route"], scope["endpoint"] = endpoint, endpoint.endpoint
                return endpoint.endpoint(scope, receive, send)
        if request is not None:
            if kind == "http":
                send = noting_send(send, request.progress, time.perf_counter_ns)
            return self._route(scope, receive, send)
        if not self.users:
            return self._route(scope, receive, send)
        self._surround()  # this comes too late for the request that is here
        return self._innermost(scope, receive, send)

    # -- what users want ---------------------------------------------------------------------

    def _made(self, app: App) -> PoolObserverMiddleware:
        middleware = PoolObserverMiddleware(app)
        self._middlewares.append(middleware)
        self._adjust(middleware)
        return middleware

    def _adjust(self, middleware: PoolObserverMiddleware) -> None:
        middleware.server_timing = any(user.server_timing for user in self.users)
        middleware.passes_through = not self.users
        middleware.note_failure = self._note_failure

    def _endpoint_of(self, scope: Scope) -> Endpoint | None:
        try:
            return self._endpoints.of(scope)
        except Exception:  # a route of somebody's own that cannot be asked
            self._note_failure("looking for who answers")
            return None

    def _observers(self) -> Iterator[Observing]:
        for user in self.users:
            observer = user.observer()
            if observer is not None:
                yield observer

    def _follow_running_loop(self) -> None:
        for observer in self._observers():
            observer.follow_running_loop()

    def _note_failure(self, place: str) -> None:
        """Failures of the middleware are counted by one of the observers."""
        for observer in self._observers():
            observer.note_failure(place)
            return
