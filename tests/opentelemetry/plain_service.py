"""A service that says nothing of pool_observer: it is run under `opentelemetry-instrument`."""

from __future__ import annotations

import os

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["DATABASE"], pool_size=2)
app = FastAPI()


@app.get("/orders/{order_id}")
async def order(order_id: int) -> int:
    async with engine.connect() as connection:
        found: int = await connection.scalar(text("SELECT CAST(:id AS int)"), {"id": order_id})
        return found
