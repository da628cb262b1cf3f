"""A service with two pools that can be had in every trouble there is an alert for.

Its clocks run fast, as the rules' do: what happens once a second happens ten times a second.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import start_http_server
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import await_only

from pool_observer import Hold, Listener, PoolObserver, ServerProbe, contention, observe
from pool_observer.watchdog import process_prober, process_watchdog
from tests.monitoring.live.accelerated import accelerated
from tests.monitoring.live.gates import Gates

POOL, CALM_POOL = "orders", "catalog"

SLOW_NETWORK, LONG_TRANSFER, BLOCKED_LOOP = "slow network", "long transfer", "blocked loop"
BROKEN_OBSERVER, DEAF_LISTENER = "broken observer", "deaf listener"
"""Gates: while one is open, there is this trouble."""

SLOW_PING_SECONDS = 0.5

SELECT = text("SELECT 1")
READ = text("SELECT stock FROM items WHERE id = :item")
SELL = text("UPDATE items SET stock = stock - 1 WHERE id = :item")
WORK = text("SELECT pg_sleep(0.1)")


def app() -> FastAPI:
    gates = Gates(Path(os.environ["GATES"]))
    engine = _engine(pool_size=8, max_overflow=4, pool_timeout=1.5, pool_pre_ping=True)
    calm_engine = _engine(pool_size=2, max_overflow=1)
    _slow_down_pings(engine, gates)
    _run_fast()

    app = FastAPI()
    probe = ServerProbe(os.environ["PROBE_URL"], interval=0.2, timeout=5)
    leak_after = accelerated().thresholds.leak_after
    observer = observe(
        engine, app, name=POOL, leak_after=leak_after, server_probe=probe, metrics_path=None
    )
    observe(calm_engine, app, name=CALM_POOL, leak_after=leak_after, metrics_path=None)
    _fail_while_open(observer, gates)
    observer._delivery._backlog = 300
    observer.subscribe(Deaf(gates))
    # In threads of its own, as some services do: so it answers while the event loop is blocked.
    start_http_server(int(os.environ["METRICS_PORT"]), "127.0.0.1")

    _add_healthy_routes(app, engine, calm_engine)
    _add_troublesome_routes(app, engine, gates)
    _add_leaking_routes(app, engine)
    FastAPIInstrumentor.instrument_app(app, tracer_provider=TracerProvider())
    return app


def _engine(**options: object) -> AsyncEngine:
    return create_async_engine(os.environ["DATABASE_URL"], **options)


def _run_fast() -> None:
    process_watchdog._tick_seconds = 0.1
    process_prober._tick_seconds = 0.05
    contention.PEAK_WINDOW_NS //= 60


def _slow_down_pings(engine: AsyncEngine, gates: Gates) -> None:
    """Have a long way to the database while the gate is open."""
    dialect = engine.sync_engine.dialect
    ping = dialect.do_ping

    def slow_ping(dbapi_connection: object) -> bool:
        if gates.is_open(SLOW_NETWORK):
            await_only(asyncio.sleep(SLOW_PING_SECONDS))
        return ping(dbapi_connection)  # type: ignore[arg-type]

    dialect.do_ping = slow_ping  # type: ignore[method-assign]


def _fail_while_open(observer: PoolObserver, gates: Gates) -> None:
    """A bug inside the observer while the gate is open."""

    def fail() -> None:
        if gates.is_open(BROKEN_OBSERVER):
            raise RuntimeError("a bug of ours")

    observer.when_ticking(fail)


class Deaf(Listener):
    """Cannot be told anything while the gate is open."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    def hold_ended(self, hold: Hold) -> None:
        while self._gates.is_open(DEAF_LISTENER):
            time.sleep(0.02)


def _add_healthy_routes(app: FastAPI, engine: AsyncEngine, calm_engine: AsyncEngine) -> None:
    @app.get("/health")
    async def health() -> int:
        return os.getpid()

    @app.get("/items/{item}")
    async def read_item(item: int) -> object:
        async with AsyncSession(engine) as session:
            return await session.scalar(READ, {"item": item})

    @app.post("/items/{item}/sell")
    async def sell(item: int) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(SELL, {"item": item})
            await session.commit()

    @app.get("/export")
    async def export() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            async with AsyncSession(engine) as session:
                for _ in range(3):
                    yield f"{await session.scalar(SELECT)}\n"

        return StreamingResponse(lines())

    @app.get("/catalog")
    async def catalog() -> object:
        async with AsyncSession(calm_engine) as session:
            return await session.scalar(SELECT)


def _add_troublesome_routes(app: FastAPI, engine: AsyncEngine, gates: Gates) -> None:
    @app.post("/chat/{user}")
    async def chat(user: int, thinks: float) -> None:
        """Stay in a transaction while a model thinks."""
        async with AsyncSession(engine) as session:
            await session.execute(SELECT)
            await asyncio.sleep(thinks)
            await session.commit()

    @app.get("/report")
    async def report(takes: float) -> None:
        """Keep a connection, in no transaction."""
        async with engine.connect() as connection:
            await connection.execute(SELECT)
            await connection.commit()
            await asyncio.sleep(takes)

    @app.post("/nested")
    async def nested() -> None:
        async with engine.connect(), engine.connect() as inner:
            await inner.execute(SELECT)

    @app.post("/refresh")
    async def refresh() -> None:
        async with engine.connect() as connection:
            await connection.invalidate()

    @app.post("/transfer/{item}")
    async def transfer(item: int) -> None:
        """Keep a row locked, and be at work all the while."""
        async with AsyncSession(engine) as session:
            await session.execute(SELL, {"item": item})
            while gates.is_open(LONG_TRANSFER):
                await session.execute(WORK)
            await session.commit()

    @app.post("/block")
    async def block() -> None:
        while gates.is_open(BLOCKED_LOOP):
            time.sleep(0.02)  # noqa: ASYNC251  # this is what it is for


def _add_leaking_routes(app: FastAPI, engine: AsyncEngine) -> None:
    kept: list[AsyncConnection] = []

    @app.post("/keep")
    async def keep() -> None:
        """Leak a connection that something still refers to."""
        connection = await engine.connect()
        kept.append(connection)
        await connection.execute(SELECT)
        await connection.commit()

    @app.post("/give-back")
    async def give_back() -> None:
        while kept:
            await kept.pop().close()

    @app.post("/lose")
    async def lose() -> None:
        """Leak a connection, and have it found by the garbage collector."""
        connection = await engine.connect()
        await connection.execute(SELECT)
        del connection
        gc.collect()
