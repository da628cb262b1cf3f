"""Sees a response being sent, which is how phases follow one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pool_observer.asgi_types import Message, Send
from pool_observer.progress import RequestProgress

BODY = ("http.response.body", "http.response.zerocopysend", "http.response.pathsend")


def noting_send(send: Send, progress: RequestProgress, clock: Callable[[], int]) -> Send:
    """A `send` that notes where the response begins and ends.

    Where there are several, around the application and around its routes, whichever sees it
    first notes it: a middleware between them may pass on the response in a task of its own,
    while the code behind the route has gone on to its background work.
    """

    def noting(message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "http.response.start":
            if progress.response_at is None:
                progress.response_at = clock()
        elif kind in BODY and not message.get("more_body", False):
            return _ending(send, message, progress, clock)
        return send(message)

    return noting


async def _ending(
    send: Send, message: Message, progress: RequestProgress, clock: Callable[[], int]
) -> None:
    """Send the last of the body; whatever the application still does is in the background."""
    try:
        await send(message)
    finally:
        if progress.background_at is None:
            progress.background_at = clock()
