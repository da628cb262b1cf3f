"""Facts about the connection behind a hold, and about the code in front of it."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.postgres import Postgres
from tests.support import FakeDatabase, observer_of


def here() -> int:
    """The line this is called from."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_fact_14h_the_call_site_is_the_line_that_caused_the_checkout(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        with engine.connect():
            line = here() - 1
            (hold,) = observer.snapshot().open_holds
            assert str(hold.call_site) == (
                f"tests/facts/test_connections.py:{line} in "
                "test_fact_14h_the_call_site_is_the_line_that_caused_the_checkout"
            )
        with Session(engine) as session:
            session.execute(text("SELECT 1"))
            line = here() - 1
            (hold,) = observer.snapshot().open_holds
            assert hold.call_site is not None
            assert hold.call_site.line == line


def test_fact_14h_the_call_site_of_an_async_session_is_beyond_its_greenlet(
    postgres: Postgres,
) -> None:
    async def ask(session: AsyncSession) -> int:
        await session.execute(text("SELECT 1"))
        return here() - 1

    async def main() -> None:
        engine = create_async_engine(postgres.url("asyncpg"))
        with observer_of(engine.sync_engine) as observer:
            async with AsyncSession(engine) as session:
                line = await ask(session)
                (hold,) = observer.snapshot().open_holds
                assert hold.call_site is not None
                assert hold.call_site.line == line
                assert hold.call_site.function == "ask"
        await engine.dispose()

    asyncio.run(main())


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_fact_14i_the_driver_knows_the_backend_pid(postgres: Postgres, driver: str) -> None:
    engine = create_engine(postgres.url(driver))
    with observer_of(engine) as observer, engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        assert observer.snapshot().open_holds[0].backend_pid == pid
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_fact_14i_the_async_driver_knows_the_backend_pid(postgres: Postgres, driver: str) -> None:
    async def main() -> None:
        engine = create_async_engine(postgres.url(driver))
        with observer_of(engine.sync_engine) as observer:
            async with engine.connect() as connection:
                pid = await connection.scalar(text("SELECT pg_backend_pid()"))
                assert observer.snapshot().open_holds[0].backend_pid == pid
        await engine.dispose()

    asyncio.run(main())
