"""The ASGI middleware that says on whose behalf connections are held."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from pool_observer.asgi.request import Request, request_of
from pool_observer.asgi.routes import RouteNames
from pool_observer.asgi.sending import noting_send
from pool_observer.asgi.server_timing import with_server_timing
from pool_observer.asgi_types import App, Message, Receive, Scope, Send
from pool_observer.failures import Failures
from pool_observer.holder import current_holder
from pool_observer.progress import MOST_CLAIMS, RequestProgress

REQUESTS = ("http", "websocket")


class PoolObserverMiddleware:
    """Names every connection held during a request after its route: `POST /chat/{id}`.

    `observe(engine, app)` puts it where it belongs, around everything else. Those who compose
    their application by hand put it outermost:

    >>> async def app(scope, receive, send): ...
    >>> app = PoolObserverMiddleware(app)

    :param app: the ASGI application inside.
    :param server_timing: whether responses tell, in a `Server-Timing` header, how long their
        request has waited for connections and held them until then.
    """

    def __init__(
        self,
        app: App,
        *,
        server_timing: bool = False,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.app = app
        self.server_timing = server_timing
        self.passes_through = False
        """Set when nobody wants it any more, and it cannot be taken out."""
        self.notes_sending = True
        """Unset where somebody further in sees the response being sent, and in which task."""
        self.note_failure: Callable[[str], None] = Failures().note
        self._clock = clock
        self._names = RouteNames()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] not in REQUESTS
            or self.passes_through
            or (current_holder.get() is not None and request_of(scope) is not None)
        ):
            await self.app(scope, receive, send)
            return
        clock = self._clock
        request = Request(scope, self._names)
        if self.notes_sending:
            request.runs_here()
            send = noting_send(send, request.progress, clock)
        if self.server_timing and scope["type"] == "http":
            send = self._telling(send, request.progress)
        token = current_holder.set(request)
        try:
            await self.app(scope, receive, send)
        finally:
            request.ends(clock())
            try:  # noqa: SIM105  # `suppress` is three calls, on every request's path
                current_holder.reset(token)
            except ValueError:  # closed by the garbage collector, in another context
                pass

    def _telling(self, send: Send, progress: RequestProgress) -> Send:
        """A `send` that adds `Server-Timing`."""
        progress.claims = []

        def telling(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = self._told(message, progress)
            return send(message)

        return telling

    def _told(self, message: Message, progress: RequestProgress) -> Message:
        claims, progress.claims = progress.claims, None
        if claims is None or len(claims) > MOST_CLAIMS:
            return message  # no figure rather than a wrong one
        try:
            return with_server_timing(message, claims, self._clock())
        except Exception:
            self.note_failure("telling Server-Timing")
            return message
