"""The loads that advice is tried on: users who wait for their answers, and callers who do not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from benchmarks.demo_users import CHATTING, READ, READING, chat, read_item, users
from pool_observer import holding

Load = Callable[[AsyncEngine], Awaitable[None]]
"""Works until it is cancelled."""

CHATS_A_SECOND, CHAT_SECONDS = 30.0, 1.0
READS_A_SECOND, READ_SECONDS = 100.0, 0.030
SEED = 3
"""All runs of a load have the same callers at the same times, who want the same. There are 51 of
them at once at most, which is usual for 33 on average; with a seed that is 5 there are 55, and the
size is a little too small for a moment."""


async def demo_users(engine: AsyncEngine) -> None:
    """The demo's: each asks again when they are answered, so there are never more at once."""
    stop = asyncio.Event()
    await asyncio.gather(
        users(engine, "POST /chat", chat, CHATTING, stop),
        users(engine, "GET /items", read_item, READING, stop),
    )


@dataclass(frozen=True)
class Callers:
    """They come whether others are answered or not, and independently of each other."""

    chat: Callable[[AsyncEngine, float], Awaitable[None]]

    async def __call__(self, engine: AsyncEngine) -> None:
        chats = holding("POST /chat")(self.chat)
        reads = holding("GET /items")(_read)
        async with asyncio.TaskGroup() as asking:
            for seed, call, rate, mean in (
                (SEED, chats, CHATS_A_SECOND, CHAT_SECONDS),
                (SEED + 1, reads, READS_A_SECOND, READ_SECONDS),
            ):
                asking.create_task(_arrive(engine, call, rate, mean, random.Random(seed)))


async def _arrive(
    engine: AsyncEngine,
    call: Callable[[AsyncEngine, float], Awaitable[None]],
    a_second: float,
    mean: float,
    chance: random.Random,
) -> None:
    clock = asyncio.get_running_loop().time
    at = clock()
    async with asyncio.TaskGroup() as asking:
        while True:
            at += chance.expovariate(a_second)
            seconds = chance.expovariate(1 / mean)
            await asyncio.sleep(at - clock())
            asking.create_task(_until_it_gives_up(call(engine, seconds)))


async def _until_it_gives_up(answered: Awaitable[None]) -> None:
    with suppress(PoolTimeoutError):
        await answered


async def _read(engine: AsyncEngine, seconds: float) -> None:
    async with AsyncSession(engine) as session:
        await session.execute(text(f"SELECT pg_sleep({seconds})"))


async def keeping_chat(engine: AsyncEngine, seconds: float) -> None:
    """Keeps its connection for as long as the model thinks."""
    async with AsyncSession(engine) as session:
        await session.execute(READ)
        await asyncio.sleep(seconds)
        await session.execute(READ)


async def mended_chat(engine: AsyncEngine, seconds: float) -> None:
    """Gives it back meanwhile."""
    async with AsyncSession(engine) as session:
        await session.execute(READ)
    await asyncio.sleep(seconds)
    async with AsyncSession(engine) as session:
        await session.execute(READ)
