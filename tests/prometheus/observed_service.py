"""A service with an observed pool that runs in processes of its own, and says what it does."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from fastapi import FastAPI, Request
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pool_observer import observe
from tests.prometheus.prometheus_server import free_port, program

APPLICATION = "observed_service"
"""What PostgreSQL knows its connections as."""

SIZE, OVERFLOW = 3, 2
MAX = SIZE + OVERFLOW
"""The most connections one worker can hold."""

HOLDERS = ("GET /quick", "POST /chat/{user}", "GET /report")
FILL = "GET /fill"
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

Answer = dict[str, float]


def app() -> FastAPI:
    engine = create_async_engine(
        os.environ["DATABASE_URL"],
        pool_size=SIZE,
        max_overflow=OVERFLOW,
        connect_args={"server_settings": {"application_name": APPLICATION}},
    )
    app = FastAPI()
    observe(engine, app, name="orders")

    @app.get("/worker")
    async def worker() -> int:
        return os.getpid()

    @app.get("/quick")
    async def quick() -> Answer:
        return await held(engine, "SELECT 1", random.uniform(0.05, 0.1))

    @app.post("/chat/{user}")
    async def chat(user: int) -> Answer:
        return await held(engine, f"SELECT {user}", random.uniform(0.1, 0.3))

    @app.get("/report")
    async def report() -> Answer:
        return await held(engine, "SELECT pg_sleep(0.2)", 0)

    @app.get("/fill")
    async def fill(request: Request) -> None:
        """Take all connections of this worker, until the client goes away."""
        async with AsyncExitStack() as connections:
            for _ in range(MAX):
                connection = await connections.enter_async_context(engine.connect())
                await connection.execute(text("SELECT 1"))
            while not await request.is_disconnected():
                await asyncio.sleep(0.05)

    return app


async def held(engine: AsyncEngine, statement: str, seconds: float) -> Answer:
    """Hold a connection, in a transaction from the first moment to the last; says how long."""
    async with engine.connect() as connection:
        began = perf_counter()
        await connection.execute(text(statement))
        await asyncio.sleep(seconds)
        await connection.commit()
    return {"held": perf_counter() - began}


@dataclass(frozen=True)
class Service:
    address: str
    workers: int

    @property
    def url(self) -> str:
        return f"http://{self.address}"


@contextmanager
def running_service(database: URL, workers: int, folder: Path) -> Iterator[Service]:
    """The service under a real uvicorn, from when it answers."""
    environment = {name: value for name, value in os.environ.items() if name != DIRECTORY}
    environment["DATABASE_URL"] = database.render_as_string(hide_password=False)
    if workers > 1:
        environment[DIRECTORY] = str(folder / "metrics")
        (folder / "metrics").mkdir()
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "--factory", f"{__name__}:{app.__name__}"),
        *("--workers", str(workers), "--port", str(port), "--no-access-log"),
    ]
    service = Service(f"127.0.0.1:{port}", workers)
    with program(command, folder / "service.log", f"{service.url}/worker", environment):
        yield service
