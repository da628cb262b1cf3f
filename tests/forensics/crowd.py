"""Routes for a crowd: fifteen connections, some who keep them all, and many who get none."""

from __future__ import annotations

import traceback
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from tests.forensics import llm

NAME = "crowd"
SIZE, OVERFLOW = 5, 10
MAX = SIZE + OVERFLOW
POOL: dict[str, Any] = {"pool_size": SIZE, "max_overflow": OVERFLOW, "pool_timeout": 1.5}

SELECT = text("SELECT 1")


def add_routes(app: FastAPI, engine: AsyncEngine) -> None:
    caught: list[dict[str, Any]] = []

    @app.post("/crowd/chat/{user}")
    async def chat(user: str) -> str:
        async with AsyncSession(engine) as session:
            await session.execute(SELECT)  # taken: crowd chat
            return await llm.ask("crowd-chat")

    @app.get("/crowd/report")
    async def report() -> str:
        async with engine.connect() as connection:  # taken: crowd report
            await connection.execute(SELECT)
            await connection.commit()
            return await llm.ask("crowd-report")

    @app.get("/crowd/orders/{order}")
    async def read(order: str) -> None:
        try:
            async with engine.connect() as connection:
                await connection.execute(SELECT)
        except PoolTimeoutError as error:
            caught.append(
                {
                    "type": f"{type(error).__module__}.{type(error).__qualname__}",
                    "str": str(error),
                    "args": error.args,
                    "code": error.code,
                    "fields": sorted(vars(error)),
                    "notes": getattr(error, "__notes__", []),
                    "formatted": "".join(traceback.format_exception(error)),
                }
            )
            raise

    @app.get("/crowd/caught")
    async def all_caught() -> list[dict[str, Any]]:
        return caught
