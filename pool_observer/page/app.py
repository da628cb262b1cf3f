"""The live page and its figures as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pool_observer.answering import HttpApp, respond
from pool_observer.asgi_types import Scope, Send
from pool_observer.failures import Failures
from pool_observer.page.access import Auth, Visitor, may_see
from pool_observer.page.encoding import encoded
from pool_observer.page.html import html
from pool_observer.page.negotiating import prefers_json
from pool_observer.page.sharing import Shared

_FORBIDDEN = (
    b"Only this machine may see this page, and only directly. "
    b"Say who else may: observe(..., debug_auth=...) or debug_app(..., auth=...).\n"
)
_REFUSED = (
    b"You may not see this page: "
    b"debug_auth of observe(..., debug_auth=...), or auth of debug_app(..., auth=...), says no.\n"
)

_ALWAYS = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]


class LivePage(HttpApp):
    """Shows what `document` returns: as a page that keeps itself up to date, or as JSON.

    The document is made in a thread, so that the event loop goes on, and shared among all who
    look. Without `auth`, only this machine may see it.
    """

    def __init__(
        self,
        document: Callable[[], dict[str, Any]],
        auth: Auth | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._document = document
        self._auth = auth
        self._failures = Failures()
        self._figures = Shared(self._make, clock)
        self._page = html()  # read now: the first visit may be in an outage, out of files

    async def answer(self, scope: Scope, send: Send) -> None:
        method = scope["method"]
        head = method == "HEAD"

        async def answer(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
            await respond(send, status, [*_ALWAYS, *headers], body, vary=b"accept", head=head)

        if method not in ("GET", "HEAD"):
            await answer(405, b"Use GET.\n", (b"allow", b"GET, HEAD"))
            return
        visitor = Visitor.of(scope)
        if not await may_see(visitor, self._auth, self._failures):
            await answer(403, _FORBIDDEN if self._auth is None else _REFUSED)
            return
        if not prefers_json(visitor.headers.get("accept", "")):
            policy = (b"content-security-policy", self._page.policy.encode())
            html_type = (b"content-type", b"text/html; charset=utf-8")
            await answer(200, self._page.body, html_type, policy)
            return
        try:
            figures = await self._figures.get()
        except Exception as error:
            sentence = f"Making the figures failed with {type(error).__name__}; see the log.\n"
            await answer(500, sentence.encode())
            return
        # Over a connection of its own, the next one may meet another worker process.
        close = [(b"connection", b"close")] if scope.get("http_version") == "1.1" else []
        await answer(200, figures, (b"content-type", b"application/json"), *close)

    def _make(self) -> bytes:
        try:
            return encoded(self._document())
        except Exception:
            self._failures.note("making the live page")
            raise
