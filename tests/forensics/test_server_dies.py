"""PostgreSQL is killed while connections to it are overdue, and comes back."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pool_observer import PoolObserver, holding
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.support import wait_until

SELECT = text("SELECT 1")


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was told of whom, by the watchdog of this process."""
    return [
        (vars(each)["pool_observer.incident"], vars(each)["pool_observer.holder"])
        for each in caplog.records
        if each.name == "pool_observer.incidents"
    ]


def assert_all_is_told(observer: PoolObserver, caplog: pytest.LogCaptureFixture) -> None:
    wait_until(lambda: len(told(caplog)) >= 4)
    holders = ("idle", "in transaction")
    assert sorted(told(caplog)) == sorted(
        (kind, holder) for kind in ("overdue", "returned") for holder in holders
    )
    state = observer.snapshot()
    assert state.used == 0
    assert state.totals.internal_errors == {}


def test_threads_see_the_drivers_own_error(
    own_postgres: Postgres, observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer")
    engine: Engine = create_engine(own_postgres.url("psycopg"))
    observer = observed(engine, name="dying", leak_after=0.1, registry=None)
    with holding("idle"):
        idle = engine.connect()
    with holding("in transaction"):
        busy = engine.connect()
    busy.execute(SELECT)
    wait_until(lambda: len(told(caplog)) == 2)
    own_postgres.stop()
    for connection in (idle, busy):
        with pytest.raises(DBAPIError) as raised:
            connection.execute(SELECT)
        assert raised.value.connection_invalidated
        assert not hasattr(raised.value, "__notes__")
        connection.close()
    own_postgres.start()
    with engine.connect() as connection:
        connection.execute(SELECT)
    assert_all_is_told(observer, caplog)
    engine.dispose()


def test_tasks_see_the_drivers_own_error(
    own_postgres: Postgres, observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pool_observer")

    async def until(number: int) -> None:
        await asyncio.to_thread(wait_until, lambda: len(told(caplog)) >= number)

    async def live_through_it() -> PoolObserver:
        engine: AsyncEngine = create_async_engine(own_postgres.url("asyncpg"))
        observer = observed(engine, name="dying", leak_after=0.1, registry=None)
        with holding("idle"):
            idle = await engine.connect()
        with holding("in transaction"):
            busy = await engine.connect()
        await busy.execute(SELECT)
        await until(2)
        await asyncio.to_thread(own_postgres.stop)
        for connection in (idle, busy):
            with pytest.raises(DBAPIError) as raised:
                await connection.execute(SELECT)
            assert raised.value.connection_invalidated
            await connection.close()
        await asyncio.to_thread(own_postgres.start)
        async with engine.connect() as connection:
            await connection.execute(SELECT)
        await until(4)
        await engine.dispose()
        return observer

    assert_all_is_told(asyncio.run(live_through_it()), caplog)
