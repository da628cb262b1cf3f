"""Calls an ASGI application directly, without a server: one request, start to end."""

from __future__ import annotations

from typing import Any

from pool_observer.asgi_types import Message, Scope


def scope_for(path: str, method: str = "GET", **changes: Any) -> Scope:
    """The scope a server would make."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "state": {},
        **changes,
    }


async def call(app: Any, path: str, method: str = "GET", **changes: Any) -> list[Message]:
    """Send a request; returns the messages of the response."""
    scope = scope_for(path, method, **changes)
    first = "websocket.connect" if scope["type"] == "websocket" else "http.request"
    coming: list[Message] = [{"type": first, "body": b"", "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        last = "websocket.disconnect" if scope["type"] == "websocket" else "http.disconnect"
        return coming.pop() if coming else {"type": last, "code": 1000}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def status(messages: list[Message]) -> int | None:
    """The response's status."""
    return next((message["status"] for message in messages if "status" in message), None)
