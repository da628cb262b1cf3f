"""Routes of the service that want two connections at a time, of a pool that has two."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.forensics import llm

NAME = "ledger"
POOL: dict[str, Any] = {"pool_size": 2, "max_overflow": 0, "pool_timeout": 60}

SELECT = text("SELECT 1")


def add_routes(app: FastAPI, engine: AsyncEngine) -> None:
    @app.get("/hog")
    async def hog() -> str:
        async with engine.connect():  # taken: hog
            return await llm.ask("hog")

    @app.get("/nested")
    async def nested() -> None:
        async with engine.connect() as outer:  # taken: nested
            await outer.execute(SELECT)
            async with engine.connect() as inner:  # second: nested
                await inner.execute(SELECT)
