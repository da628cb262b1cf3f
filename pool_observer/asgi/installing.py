"""Puts the middleware around a FastAPI or Starlette application, once, and takes it off again.

Not with `add_middleware()`: that refuses once the application has started, and it leaves the
handler of unexpected exceptions outside, which may well want a connection.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pool_observer.asgi.middleware import PoolObserverMiddleware
from pool_observer.asgi.request import current_request
from pool_observer.asgi.sending import noting_send
from pool_observer.asgi.types import App, Receive, Scope, Send
from pool_observer.overrides import Override


def checked_app(app: Any) -> Any:
    """The application, if it is one whose requests we can name on our own account."""
    if not callable(getattr(app, "build_middleware_stack", None)) or not hasattr(app, "router"):
        raise TypeError(
            f"observe(engine, app) takes a FastAPI or Starlette application, not "
            f"{type(app).__name__}; put PoolObserverMiddleware(app) around any other ASGI "
            "application yourself, and leave it out here"
        )
    return app


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """An observer that wants the requests of an application named, for as long as it exists."""

    server_timing: bool
    note_failure: weakref.WeakMethod[Callable[[str], None]]


def install(
    app: Any, *, server_timing: bool, note_failure: Callable[[str], None]
) -> Callable[[], None]:
    """Name the requests of this application, until the function returned has been called.

    Several observers may ask for it; the last to leave takes it off.
    """
    installation = getattr(app.__dict__.get("build_middleware_stack"), "installation", None)
    if installation is None:
        installation = Installation(app)
    user = User(server_timing, weakref.WeakMethod(note_failure))
    installation.users = [*installation.users, user]
    installation.apply()

    def uninstall() -> None:
        installation.users = [other for other in installation.users if other is not user]
        installation.apply()

    return uninstall


class Installation:
    """The middleware on one application."""

    def __init__(self, app: Any) -> None:
        self.users: list[User] = []
        self._app = app
        self._middleware: PoolObserverMiddleware | None = None
        self._overrides = [
            Override(app, "build_middleware_stack", self._observed_build(app)),
            Override(app.router, "middleware_stack", entrance(app.router.middleware_stack)),
        ]
        if app.middleware_stack is not None:  # it has started already
            app.middleware_stack = self._around(app.middleware_stack)

    def _observed_build(self, app: Any) -> Callable[[], App]:
        build = app.build_middleware_stack

        def build_middleware_stack() -> App:
            return self._around(build())

        build_middleware_stack.installation = self  # type: ignore[attr-defined]
        return build_middleware_stack

    def _around(self, app: App) -> PoolObserverMiddleware:
        self._middleware = PoolObserverMiddleware(app)
        self._middleware.notes_sending = False  # the entrance to the routes does
        self._adjust(self._middleware)
        return self._middleware

    def _adjust(self, middleware: PoolObserverMiddleware) -> None:
        middleware.server_timing = any(user.server_timing for user in self.users)
        middleware.passes_through = not self.users
        middleware.note_failure = self._note_failure

    def _note_failure(self, place: str) -> None:
        """Failures of the middleware are counted by one of the observers."""
        for user in self.users:
            note_failure = user.note_failure()
            if note_failure is not None:
                note_failure(place)
                return

    def apply(self) -> None:
        """Do as the users want; without any, leave."""
        # An engine that is simply dropped takes its observer along, and nobody says good-bye.
        self.users = [user for user in self.users if user.note_failure() is not None]
        middleware = self._middleware
        if middleware is not None:
            self._adjust(middleware)
        if self.users:
            return
        for override in self._overrides:
            override.undo()
        if self._app.middleware_stack is middleware and middleware is not None:
            self._app.middleware_stack = middleware.app


def entrance(route: App, clock: Callable[[], int] = time.perf_counter_ns) -> App:
    """The entrance to an application's routes, which sees what middleware hides from outside.

    A middleware may have made a copy of the scope, and what routing leaves in the copy is not
    seen in the original. And it may pass on the response later than it was sent from here.
    """

    def enter(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        request = current_request()
        if request is not None and request.is_routed_by(scope) and scope["type"] == "http":
            send = noting_send(send, request.progress, clock)
        return route(scope, receive, send)

    return enter
