"""Routes of the service that leave connections lying about, each in a way of its own."""

# Without `annotations` from the future: FastAPI would not find the dependencies in here.

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from starlette.responses import StreamingResponse

from tests.forensics import llm

NAME = "orders"
POOL: dict[str, Any] = {"pool_size": 20}

SELECT = text("SELECT 1")
UPDATE = text("UPDATE account SET balance = 0 WHERE id = :account")

MEGABYTE = b"x" * 2**20
MEGABYTES = 64
"""Of a response that no buffers can take."""


def add_routes(app: FastAPI, engine: AsyncEngine) -> None:
    kept: list[AsyncConnection] = []

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine) as session:
            yield session

    @app.post("/chat/{user}")
    async def chat(user: str) -> str:
        async with AsyncSession(engine) as session:
            await session.execute(SELECT)  # taken: chat
            return await llm.ask("chat")

    @app.get("/unused")
    async def unused() -> str:
        async with engine.connect():  # taken: unused
            return await llm.ask("unused")

    @app.get("/committed")
    async def committed() -> str:
        async with engine.connect() as connection:  # taken: committed
            await connection.execute(SELECT)
            await connection.commit()
            return await llm.ask("committed")

    @app.get("/aside")
    async def aside() -> str:
        async def aside() -> str:
            async with engine.connect() as connection:  # taken: aside
                await connection.execute(SELECT)
                return await llm.ask("aside")

        return await asyncio.create_task(aside())

    @app.post("/mail")
    async def mail(tasks: BackgroundTasks) -> None:
        async def mail() -> None:
            async with AsyncSession(engine) as session:
                await session.execute(SELECT)  # taken: mail
                await llm.ask("mail")

        tasks.add_task(mail)

    @app.post("/pay/{account}")
    async def pay(account: int) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(UPDATE, {"account": account})  # taken: pay

    @app.get("/export")
    async def export() -> StreamingResponse:
        async def rows() -> AsyncIterator[bytes]:
            async with engine.connect() as connection:  # taken: export
                await connection.execute(SELECT)
                for _ in range(MEGABYTES):
                    yield MEGABYTE

        return StreamingResponse(rows())

    @app.get("/download")
    async def download(session: Annotated[AsyncSession, Depends(get_session)]) -> StreamingResponse:
        async def rows() -> AsyncIterator[bytes]:
            for _ in range(MEGABYTES):
                yield MEGABYTE

        await session.execute(SELECT)  # taken: download
        return StreamingResponse(rows())

    @app.post("/keep")
    async def keep() -> None:
        connection = await engine.connect()  # taken: keep
        await connection.execute(SELECT)
        kept.append(connection)

    @app.post("/give_back")
    async def give_back() -> None:
        while kept:
            await kept.pop().close()

    @app.post("/lose")
    async def lose() -> None:
        connection = await engine.connect()  # taken: lose
        await connection.execute(SELECT)
        del connection
        gc.collect()

    @app.get("/block")
    async def block() -> None:
        released = threading.Event()

        def watch() -> None:
            httpx.get(llm.address_of("block"), timeout=None, trust_env=False)
            released.set()

        async with engine.connect() as connection:  # taken: block
            await connection.execute(SELECT)
            threading.Thread(target=watch).start()
            released.wait()  # stands: block

    @app.get("/sentinel")
    async def sentinel() -> str:
        async with engine.connect():
            return await llm.ask("sentinel")
