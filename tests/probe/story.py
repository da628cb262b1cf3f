"""Three requests on a real server, two of which are in each other's way.

`POST /chat/{user}` has changed a row and awaits something else, `POST /pay` wants to change the
same row, and `GET /report` is in a long statement.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pool_observer import PoolObserver, ServerProbe, ServerState, observe
from tests.postgres import Postgres
from tests.support import wait_until

ASYNC_DRIVERS = ("asyncpg", "psycopg_async")
SYNC_DRIVERS = ("psycopg", "psycopg2")
OFTEN = 0.05
"""Seconds between two looks: a test need not wait for ten."""

CHAT, PAY, REPORT = "POST /chat/{user}", "POST /pay", "GET /report"

CHANGE = text("UPDATE purse SET balance = balance + 1 WHERE id = 1")
LONG = text("SELECT pg_sleep(600)")


@contextmanager
def purses(postgres: Postgres) -> Iterator[Engine]:
    """A table with a row, and an engine of the test's own that nobody observes."""
    engine = create_engine(postgres.url("psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE purse (id int PRIMARY KEY, balance int)"))
        connection.execute(text("INSERT INTO purse VALUES (1, 0)"))
    try:
        yield engine
    finally:
        with engine.connect() as connection:
            connection.execute(text("DROP TABLE purse"))
        engine.dispose()


@dataclass
class Story:
    app: FastAPI
    observer: PoolObserver
    registry: CollectorRegistry
    tasks: list[asyncio.Task[httpx.Response]] = field(default_factory=list)

    def ask(self, route: str) -> asyncio.Task[httpx.Response]:
        method, _, path = route.partition(" ")

        async def request() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, timeout=None)

        task = asyncio.create_task(request())
        self.tasks.append(task)
        return task

    async def until(self, true: Callable[[ServerState], object]) -> ServerState:
        """What the server says once that is so."""
        seen: list[ServerState] = []

        def look() -> bool:
            state = self.observer.snapshot().server
            seen[:] = [state] if state is not None else []
            return state is not None and bool(true(state))

        await asyncio.to_thread(wait_until, look)
        return seen[0]

    async def until_all_three_are_seen(self) -> ServerState:
        self.ask(CHAT.replace("{user}", "7"))
        await self.until(lambda state: states(state).get(CHAT) == "idle_in_transaction")
        self.ask(PAY)
        self.ask(REPORT)
        return await self.until(
            lambda state: len(state.holds) == 3 and any(hold.blocked_by for hold in state.holds)
        )


def states(state: ServerState) -> dict[str, str]:
    return {hold.holder: hold.session.state.value for hold in state.holds}


@asynccontextmanager
async def told(
    driver: str, postgres: Postgres, admin: Engine, **options: Any
) -> AsyncIterator[Story]:
    """The service, observed; and afterwards an end to what its requests wait for."""
    engine: Engine | AsyncEngine
    if driver in ASYNC_DRIVERS:
        engine = create_async_engine(postgres.url(driver.removesuffix("_async")))
        app, release = async_service(engine)
    else:
        engine = create_engine(postgres.url(driver))
        app, release = sync_service(engine)
    registry = CollectorRegistry()
    options.setdefault("server_probe", ServerProbe(interval=OFTEN))
    observer = observe(engine, app, name="orders", registry=registry, **options)
    story = Story(app, observer, registry)
    try:
        yield story
    finally:
        release()
        end_long_statements(admin)
        await asyncio.gather(*story.tasks, return_exceptions=True)  # one was ended by the server
        observer.close()
        disposing = engine.dispose()
        if isinstance(disposing, Awaitable):
            await disposing


def end_long_statements(admin: Engine) -> None:
    with admin.connect() as connection:
        connection.execute(
            text("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = :query"),
            {"query": LONG.text},
        )


def async_service(engine: AsyncEngine) -> tuple[FastAPI, Callable[[], None]]:
    app, released = FastAPI(), asyncio.Event()

    @app.post("/chat/{user}")
    async def chat(user: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(CHANGE)
            await released.wait()

    @app.post("/pay")
    async def pay() -> None:
        async with engine.begin() as connection:
            await connection.execute(CHANGE)

    @app.get("/report")
    async def report() -> None:
        async with engine.begin() as connection:
            await connection.execute(LONG)

    return app, released.set


def sync_service(engine: Engine) -> tuple[FastAPI, Callable[[], None]]:
    app, released = FastAPI(), threading.Event()

    def change(connection: Connection) -> None:
        connection.execute(CHANGE)

    @app.post("/chat/{user}")
    def chat(user: str) -> None:
        with engine.begin() as connection:
            change(connection)
            released.wait()

    @app.post("/pay")
    def pay() -> None:
        with engine.begin() as connection:
            change(connection)

    @app.get("/report")
    def report() -> None:
        with engine.begin() as connection:
            connection.execute(LONG)

    return app, released.set
