"""A service with two endpoints, one of which keeps its connection while it awaits a model.

Both are written the way they are in the field. `patient_chat` is `chat` with the mend: the
session is closed before the await.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from pool_observer import holding

Endpoint = Callable[[AsyncEngine], Awaitable[None]]

CHATTING = 30
READING = 10
"""Users."""

MODEL_SECONDS = 3.0
READ = text("SELECT count(*) FROM pg_class")


async def model_answers() -> None:
    """Stands for a language model."""
    await asyncio.sleep(MODEL_SECONDS)


async def chat(engine: AsyncEngine) -> None:
    """Keeps the connection, and an open transaction, for as long as the model thinks."""
    async with AsyncSession(engine) as session:
        await session.execute(READ)
        await model_answers()
        await session.execute(READ)


async def patient_chat(engine: AsyncEngine) -> None:
    """Gives the connection back before the model is asked, and takes one again afterwards."""
    async with AsyncSession(engine) as session:
        await session.execute(READ)
    await model_answers()
    async with AsyncSession(engine) as session:
        await session.execute(READ)


async def read_item(engine: AsyncEngine) -> None:
    """What most endpoints do: a few milliseconds of SQL."""
    async with AsyncSession(engine) as session:
        await session.execute(READ)


async def users(
    engine: AsyncEngine, holder: str, endpoint: Endpoint, count: int, stop: asyncio.Event
) -> None:
    """So many users, each asking again as soon as they are answered, until `stop`."""

    @holding(holder)
    async def user() -> None:
        while not stop.is_set():
            with suppress(PoolTimeoutError):
                await endpoint(engine)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(user() for _ in range(count)))
