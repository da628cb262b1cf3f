"""What the code of the runbooks is written around: a shop on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool

from pool_observer import Listener, ServerProbe
from tests.conftest import Observe
from tests.monitoring.runbook_parts import python
from tests.postgres import Postgres


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "runbook_orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="new")


class Visit(Base):
    __tablename__ = "runbook_visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]


class Shop:
    """What the code of the runbooks is written around."""

    def __init__(self, postgres: Postgres, observed: Observe) -> None:
        self.url = postgres.url("asyncpg")
        # Each call has an event loop of its own, which no pooled connection would outlive.
        self.engine = create_async_engine(self.url, poolclass=NullPool)
        self.app = FastAPI()
        self.observer = observed(self.engine, app=self.app, name="shop")
        self.session = async_sessionmaker(self.engine, expire_on_commit=False)
        self.seen: list[int] = []

    def run(self, alert: str, variant: str, **given: Any) -> dict[str, Any]:
        """What the code defines; where there are several, all of them."""
        names: dict[str, Any] = {
            **{each.__name__: each for each in (Order, Visit, select, Depends, AsyncSession)},
            "Annotated": Annotated,
            "BackgroundTasks": BackgroundTasks,
            "asyncio": asyncio,
            "StreamingResponse": StreamingResponse,
            "FastAPI": FastAPI,
            "asynccontextmanager": asynccontextmanager,
            "Listener": Listener,
            "create_async_engine": create_async_engine,
            "ServerProbe": ServerProbe,
            "app": self.app,
            "engine": self.engine,
            "url": self.url,
            "SessionLocal": self.session,
            "get_session": self.get_session,
            **given,
        }
        for code in python(alert, variant):
            exec(compile(code, f"{alert}.md", "exec", dont_inherit=True), names)
        return names

    async def get_session(self) -> AsyncIterator[AsyncSession]:
        async with self.session() as session:
            yield session

    async def somebody_else(self, name: str) -> str:
        """A model, a mail or a payment: takes a while, and sees what is out meanwhile."""
        self.seen.append(self.used)
        return name

    @property
    def used(self) -> int:
        return self.observer.snapshot().used

    def ask(self, method: str, path: str) -> httpx.Response:
        return asyncio.run(answer(self.app, method, path))


async def answer(app: FastAPI, method: str, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return await client.request(method, path)
