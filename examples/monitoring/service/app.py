"""A service to look at: one route that gives connections back, and one that sits on them.

`POST /chat/{user}` awaits something slow with a transaction open. A dozen at a time fill the
pool of a worker, and then `GET /orders` waits as well.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import observe

# 4 connections, and one of the probe, for each worker: 3 replicas with 4 workers come to 60,
# which leaves a quarter of PostgreSQL's 100 for deployments, migrations and people.
engine = create_async_engine(
    os.environ["DATABASE_URL"],
    pool_size=2,
    max_overflow=2,
    pool_timeout=10,
    pool_recycle=1800,
    pool_pre_ping=True,
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
observe(engine, app, name="orders", server_probe=True)


@app.get("/health")
async def health() -> str:
    """Takes no connection: a full pool is no reason to be restarted, or to get no requests."""
    return "ok"


@app.get("/orders")
async def orders() -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(text("SELECT 1"))).scalar_one())


@app.post("/chat/{user}")
async def chat(user: str, seconds: float = 5.0) -> str:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        await asyncio.sleep(seconds)  # a model that answers, and has no need of the database
    return f"hello, {user}"
