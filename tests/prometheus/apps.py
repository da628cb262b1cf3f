"""Applications that are asked directly, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

OURS = "pool_observer_info"
"""A metric that is on every page of ours."""


def get(app: Any, path: str = "/metrics", method: str = "GET", **options: Any) -> httpx.Response:
    """Ask the application directly, as a client that goes where it is sent."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, **options)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, follow_redirects=True)

    return asyncio.run(ask())


def an_app(engine: Engine) -> FastAPI:
    app = FastAPI()

    @app.get("/orders/{order}")
    def read_order(order: str) -> str:
        with engine.connect():
            return order

    return app
