"""The least application that holds connections, and how to look at what it has held."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine

from tests.asgi.calling import call, status


def an_app(*engines: Engine) -> FastAPI:
    """An application with one route, which holds a connection of each engine."""
    app = FastAPI()

    @app.get("/orders/{order}")
    async def read(order: str) -> None:
        for engine in engines:
            engine.connect().close()

    return app


def request(app: Any, path: str = "/orders/5", **changes: Any) -> int | None:
    return status(asyncio.run(call(app, path, **changes)))


def holders(observer: Any) -> dict[str, int]:
    """How many connections each holder has had."""
    totals = observer.snapshot().totals
    assert not totals.internal_errors
    return {holder: counted.checkouts for holder, counted in totals.holders.items()}
