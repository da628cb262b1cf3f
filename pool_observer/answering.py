"""How our own ASGI applications answer: without a framework, and without the loop's threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from pool_observer.asgi_types import Message, Receive, Scope, Send

_Result = TypeVar("_Result")


async def in_a_thread(work: Callable[[], _Result], name: str) -> _Result:
    """Do it in a thread of its own, which is called that.

    The event loop's own threads will not do: in an outage, all of them may be waiting for
    connections, and that is when our answers are wanted.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # trio's, for example
        return work()
    future: asyncio.Future[_Result] = loop.create_future()

    def settle(method: Callable[..., None], value: object) -> None:
        if not future.done():  # or else the request was cancelled
            method(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[..., None], object] = future.set_result, work()
        except Exception as error:
            outcome = future.set_exception, error
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError:  # there is no thread to be had; so be it
        run()
    return await future


def joined(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """All headers of that name as one, "" if there is none."""
    return ",".join(value.decode("latin-1") for key, value in headers if key.lower() == name)


async def respond(
    send: Send,
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    *,
    vary: bytes,
    head: bool = False,
) -> None:
    """Send a whole response. What is not a 200 is a sentence of plain text."""
    start: Message = {
        "type": "http.response.start",
        "status": status,
        "headers": [
            *headers,
            *([] if status == 200 else [(b"content-type", b"text/plain; charset=utf-8")]),
            (b"content-length", str(len(body)).encode()),
            (b"vary", vary),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"" if head else body})


class HttpApp:
    """An ASGI application that answers requests, and needs no preparation."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await _live(receive, send)
        elif kind == "http":
            await self.answer(scope, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def answer(self, scope: Scope, send: Send) -> None:
        """Answer one request, whose body is of no interest."""
        raise NotImplementedError


async def _live(receive: Receive, send: Send) -> None:
    """The life of an application that needs no preparation."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
