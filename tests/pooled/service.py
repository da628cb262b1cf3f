"""A FastAPI application that asks a model, with and without a transaction in its hands."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from tests.pooled.locks import LOCK

HELD, KEPT, RELEASED, LOCKED = "/held", "/kept", "/released", "/locked"

SELECT = text("SELECT 1")


def holder_of(path: str) -> str:
    return f"POST {path}/{{user}}"


class Model:
    """It has all who ask wait, until it is told to answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = False

    async def ask(self) -> None:
        self.asked += 1
        while not self.answers:
            await asyncio.sleep(0.005)


def service(engine: AsyncEngine, model: Model) -> FastAPI:
    app = FastAPI()

    @app.post(HELD + "/{user}")
    async def held(user: str) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(SELECT)
            await model.ask()

    @app.post(KEPT + "/{user}")
    async def kept(user: str) -> None:
        async with engine.connect() as connection:
            await connection.execute(SELECT)
            await connection.commit()
            await model.ask()

    @app.post(RELEASED + "/{user}")
    async def released(user: str) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(SELECT)
            await session.commit()
            await model.ask()
            await session.execute(SELECT)

    @app.post(LOCKED + "/{user}")
    async def locked(user: str) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(LOCK)

    return app
