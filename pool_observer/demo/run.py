"""Runs the workload twice, with the bug and without, and shows what the observer sees."""

from __future__ import annotations

import asyncio
import textwrap

from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer.demo import show
from pool_observer.demo.database import embedded_postgres
from pool_observer.demo.workload import Endpoint, chat, patient_chat, read_item, users
from pool_observer.state import PoolState
from pool_observer.wiring import observe

CHATTING = 30
READING = 10


def demo(seconds: int) -> None:
    """Both acts, `seconds` each."""
    print("Starting a PostgreSQL ...")
    with embedded_postgres() as server:
        url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
        print(
            f"\n1. {CHATTING} users chat and {READING} read, on SQLAlchemy's default pool. "
            "A chat keeps its\n   connection while it awaits the model.\n"
        )
        before = asyncio.run(act(url, chat, seconds))
        print("\n2. The same, but a chat closes its session before it awaits the model.\n")
        after = asyncio.run(act(url, patient_chat, seconds))
        print(
            f"\nWith the bug GET /items was answered {reads(before)} times, "
            f"without it {reads(after)} times."
        )


def reads(state: PoolState) -> int:
    """How many connections the readers got."""
    return state.totals.holders["GET /items"].checkouts


async def act(url: URL, chatting: Endpoint, seconds: int) -> PoolState:
    """One run of the workload, shown once a second."""
    engine = create_async_engine(url)
    with observe(engine, name="demo") as observer:
        stop = asyncio.Event()
        working = [
            asyncio.create_task(users(engine, "POST /chat", chatting, CHATTING, stop)),
            asyncio.create_task(users(engine, "GET /items", read_item, READING, stop)),
        ]
        for second in range(1, seconds + 1):
            await asyncio.sleep(1)
            print(f"after {second} s")
            print(textwrap.indent(str(observer.explain()), "  "))
        stop.set()
        await asyncio.gather(*working)
        state = observer.snapshot()
    await engine.dispose()
    print()
    print("\n".join(show.summary(state)))
    return state
