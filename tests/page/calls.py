"""Calls the page as a browser on this machine would, and reads the answer."""

from __future__ import annotations

import asyncio
from typing import Any

from pool_observer.asgi_types import Message
from tests.asgi.calling import call

HERE = ("127.0.0.1", 50123)
JSON = [(b"host", b"localhost:8000"), (b"accept", b"application/json")]


def ask(app: Any, method: str = "GET", **changes: Any) -> list[Message]:
    defaults = {"client": HERE, "headers": [(b"host", b"localhost:8000")]}
    return asyncio.run(call(app, "/debug/pools", method, **{**defaults, **changes}))


def body(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def headers(messages: list[Message]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in messages[0]["headers"]}
