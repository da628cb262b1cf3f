"""A real service whose pool is full: some hold on to their connections, others wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import anyio.to_thread
import httpx
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from pool_observer import PoolObserver, observe
from tests.asgi.serving import serving
from tests.support import wait_until

HOLDING, WAITING = 3, 2


@dataclass(frozen=True)
class Held:
    url: str
    observer: PoolObserver
    let_go: threading.Event


@contextmanager
def full_service() -> Iterator[Held]:
    """`POST /chat/{user}` has all connections, and `GET /items` waits for one."""
    engine = create_engine(
        "sqlite://",
        poolclass=QueuePool,
        pool_size=HOLDING,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )
    app, let_go = FastAPI(), threading.Event()

    @app.post("/chat/{user}")
    async def chat(user: str) -> str:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            await anyio.to_thread.run_sync(let_go.wait)
        return user

    @app.get("/items")
    def items() -> str:
        with engine.connect():
            return "items"

    observer = observe(engine, app, name="orders", registry=None, debug_path="/debug/pools")
    with serving(app) as address, ThreadPoolExecutor(HOLDING + WAITING) as clients:
        try:
            for user in range(HOLDING):
                clients.submit(httpx.post, f"{address}/chat/{user}", timeout=60)
            wait_until(lambda: observer.snapshot().used == HOLDING)
            for _ in range(WAITING):
                clients.submit(httpx.get, f"{address}/items", timeout=60)
            wait_until(lambda: observer.snapshot().waiting == WAITING)
            wait_until(lambda: "->" in str(observer.explain()))  # it has lasted long enough
            yield Held(f"{address}/debug/pools", observer, let_go)
        finally:
            let_go.set()
    observer.close()
    engine.dispose()
