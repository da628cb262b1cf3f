"""Requests that end badly, on a real server and database: the hold ends, once, and is theirs."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import StreamingResponse
from websockets.sync.client import connect as connect_websocket

from pool_observer import Activity, Ending, Hold, Phase, PoolObserver, observe
from tests.asgi.serving import serving
from tests.postgres import Postgres
from tests.support import RecordingListener, wait_until

ENDLESS = text("SELECT pg_sleep(30)")
KILL = text("SELECT pg_terminate_backend(:pid)")


@dataclass
class Service:
    address: str
    observer: PoolObserver
    heard: RecordingListener
    under_base_http: bool
    running: dict[str, Any]
    """The server's event loop, and tasks of handlers that are to be cancelled."""

    def open_hold(self) -> Hold | None:
        """The one hold that is open, once it is executing something."""
        holds = self.observer.snapshot().open_holds
        return holds[0] if holds and holds[0].activity is Activity.EXECUTING else None

    def only_hold(self) -> Hold:
        """The one hold there has been, when nothing is open any more."""
        wait_until(lambda: self.observer.snapshot().used == 0)
        self.observer.deliver()
        (hold,) = self.heard.holds
        state = self.observer.snapshot()
        assert (state.waiting, state.drift) == (0, 0)
        assert not state.totals.internal_errors
        return hold


def application(engine: AsyncEngine, running: dict[str, Any], under_base_http: bool) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running["loop"] = asyncio.get_running_loop()
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    if under_base_http:
        app.add_middleware(
            BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request)
        )

    async def rows(connection: AsyncConnection) -> AsyncIterator[str]:
        while True:
            await connection.execute(text("SELECT 1"))
            yield "row" * 10_000

    @app.get("/stream/{id_}")
    async def stream(id_: int) -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            async with engine.connect() as connection:
                async for row in rows(connection):
                    yield row

        return StreamingResponse(body())

    @app.get("/query/{id_}")
    async def query(id_: int) -> None:
        running["query"] = asyncio.current_task()
        async with engine.connect() as connection:
            await connection.execute(ENDLESS)

    @app.get("/raise/{id_}")
    async def fail(id_: int) -> None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            raise ZeroDivisionError

    @app.websocket("/ws/{id_}")
    async def websocket(websocket: WebSocket, id_: int) -> None:
        await websocket.accept()
        async with engine.connect() as connection:
            async for row in rows(connection):
                await websocket.send_text(row)

    return app


@pytest.fixture(params=[False, True], ids=["", "under BaseHTTPMiddleware"])
def service(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[Service]:
    engine = create_async_engine(postgres.url("asyncpg"))
    running: dict[str, Any] = {}
    app = application(engine, running, request.param)
    heard = RecordingListener()
    with observe(engine, app, name="orders") as observer:
        observer.subscribe(heard)
        with serving(app) as address:
            yield Service(address, observer, heard, request.param, running)


@pytest.fixture
def collected_there() -> Iterator[None]:
    """No garbage is collected but where `collect()` says: drivers insist on their loop's thread."""
    gc.disable()
    yield
    gc.enable()


def collect(service: Service) -> bool:
    """Collect garbage in the server's thread."""
    collected = Event()

    def collect() -> None:
        gc.collect()
        collected.set()

    service.running["loop"].call_soon_threadsafe(collect)
    return collected.wait(10)


# What BaseHTTPMiddleware leaves of a stream refers to itself, so that the garbage collector
# may come to its connection before its `finally`.
@pytest.mark.filterwarnings("ignore:The garbage collector is trying:sqlalchemy.exc.SAWarning")
def test_a_client_that_leaves_in_mid_stream(service: Service, collected_there: None) -> None:
    with httpx.stream("GET", f"{service.address}/stream/5") as response:
        next(response.iter_bytes())
    # Until the server has noticed, and has dropped what it was sending.
    wait_until(lambda: collect(service) and service.observer.snapshot().used == 0)
    hold = service.only_hold()
    assert hold.holder == "GET /stream/{id_}"
    assert hold.phase is not Phase.HANDLER
    assert hold.handler_ns == 0
    collected = (Ending.LOST,) if service.under_base_http else ()
    assert hold.ending in (Ending.CHECKIN, *collected)


def test_a_client_that_leaves_a_websocket(service: Service) -> None:
    with connect_websocket(f"ws{service.address.removeprefix('http')}/ws/5") as websocket:
        websocket.recv()
        websocket.socket.close()
    hold = service.only_hold()
    assert (hold.holder, hold.phase) == ("WS /ws/{id_}", Phase.HANDLER)


def test_a_handler_that_is_cancelled_in_mid_query(service: Service) -> None:
    asking = Thread(target=httpx.get, args=(f"{service.address}/query/5",))
    asking.start()
    wait_until(service.open_hold)
    task = service.running["query"]
    task.get_loop().call_soon_threadsafe(task.cancel)
    asking.join()
    hold = service.only_hold()
    assert (hold.holder, hold.phase) == ("GET /query/{id_}", Phase.HANDLER)


def test_a_connection_that_the_server_kills_in_mid_query(
    service: Service, postgres: Postgres
) -> None:
    asking = Thread(target=httpx.get, args=(f"{service.address}/query/5",))
    asking.start()
    wait_until(service.open_hold)
    hold = service.open_hold()
    assert hold is not None
    killer = create_engine(postgres.url("psycopg"))
    with killer.connect() as connection:
        connection.execute(KILL, {"pid": hold.backend_pid})
    killer.dispose()
    asking.join()
    assert service.only_hold().holder == "GET /query/{id_}"


def test_a_handler_that_raises(service: Service) -> None:
    assert httpx.get(f"{service.address}/raise/5").status_code == 500
    hold = service.only_hold()
    assert (hold.holder, hold.phase) == ("GET /raise/{id_}", Phase.HANDLER)
    assert hold.ending is Ending.CHECKIN
