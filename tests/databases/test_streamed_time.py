"""Results from server-side cursors: the server works while rows are fetched, and it counts."""

from __future__ import annotations

import pytest
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import (
    AIOMYSQL,
    AIOSQLITE,
    ASYNC,
    EVERY,
    ON_POSTGRESQL,
    PSYCOPG2,
    PYMYSQL,
    PYSQLITE,
)
from tests.databases.on import on

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

STREAMING = tuple(driver for driver in EVERY if driver is not PYSQLITE)
"""pysqlite has no server-side cursors."""

ROWS = 60


def slow_rows(case: Case, seconds: float = 0.001) -> TextClause:
    """A statement with so many rows, that are fetched a few at a time and take so long each."""
    statement = text(case.driver.backend.slow_rows).bindparams(bindparam("seconds", seconds))
    return statement.execution_options(yield_per=5)


def at_least(rows: int, seconds: float = 0.001) -> float:
    """So long these rows take, with some allowance for who rounds how."""
    return 0.8 * rows * seconds


@on(*STREAMING)
def test_fetching_all_rows_is_executing(case: Case) -> None:
    with case.engine.connect() as connection:
        result = connection.execute(slow_rows(case, 0.005))
        assert len(result.all()) == ROWS
        assert case.hold.executing_seconds >= at_least(ROWS, 0.005)
        assert case.activity is IN_TRANSACTION
    [hold] = case.holds
    assert hold.in_transaction_ns < hold.executing_ns


@on(*STREAMING)
def test_iterating_over_rows_is_executing(case: Case) -> None:
    with case.engine.connect() as connection:
        for _ in connection.execute(slow_rows(case)):
            assert case.activity is IN_TRANSACTION  # while the application has a row
        assert case.hold.executing_seconds >= at_least(ROWS)


@on(*STREAMING)
def test_reading_in_partitions_is_executing(case: Case) -> None:
    with case.engine.connect() as connection:
        result = connection.execute(slow_rows(case))
        assert [len(rows) for rows in result.partitions(5)] == [5] * 12
        assert case.hold.executing_seconds >= at_least(ROWS)


@on(*ON_POSTGRESQL, AIOSQLITE)
def test_rows_are_made_when_they_are_fetched(case: Case) -> None:
    """Else the tests above would prove nothing about fetching."""
    with case.engine.connect() as connection:
        result = connection.execute(slow_rows(case))
        before = case.hold.executing_ns
        result.all()
        fetching = (case.hold.executing_ns - before) / 1e9
        assert fetching >= at_least(ROWS - 50)  # of which asyncpg has fetched fifty before


@on(*ON_POSTGRESQL)
def test_a_fetch_that_runs_now_is_executing(case: Case) -> None:
    query = text(
        "SELECT CASE WHEN i <= 50 THEN pg_sleep(0) ELSE pg_sleep(30) END "
        "FROM generate_series(1, 51) AS i"
    )
    with case.engine.connect() as connection:
        result = connection.execute(query.execution_options(yield_per=1))
        for _ in range(50):
            result.fetchone()
        between = case.activity
        fetching = case.in_background(result.fetchone)
        asleep = "FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        case.wait_until(lambda: bool(case.server.ask(f"SELECT pid {asleep}")))
        meanwhile = case.activity
        case.server.ask(f"SELECT pg_cancel_backend(pid) {asleep}")
        assert fetching.failure() is not None
        assert (between, meanwhile) == (IN_TRANSACTION, EXECUTING)
        assert case.activity is IN_TRANSACTION
        connection.rollback()
        assert case.activity is IDLE


@on(*ASYNC)
async def test_an_async_stream_is_executing(case: Case) -> None:
    async with AsyncSession(case.async_engine) as session:
        result = await session.stream(slow_rows(case))
        seen = 0
        async for _ in result:
            seen += 1
            assert case.activity is IN_TRANSACTION
        assert seen == ROWS
        assert case.hold.executing_seconds >= at_least(ROWS)
        await session.rollback()


@on(AIOMYSQL, PYMYSQL, AIOSQLITE, isolation_level="AUTOCOMMIT")
def test_a_stream_in_autocommit_is_executing_and_then_idle(case: Case) -> None:
    with case.engine.connect() as connection:
        result = connection.execute(slow_rows(case))
        assert len(result.all()) == ROWS
        assert case.activity is IDLE
        assert case.hold.executing_seconds >= at_least(ROWS)
        assert case.hold.in_transaction_ns == 0


@on(*ON_POSTGRESQL, isolation_level="AUTOCOMMIT")
def test_a_stream_that_the_server_refuses_in_autocommit_leaves_idle(case: Case) -> None:
    """PostgreSQL has cursors in transactions only; psycopg2 makes them outlive these."""
    with case.engine.connect() as connection:
        if case.driver is not PSYCOPG2:
            with pytest.raises(DBAPIError):
                connection.execute(slow_rows(case))
        assert case.activity is IDLE
        assert connection.scalar(text("SELECT 1")) == 1
        assert case.activity is IDLE
        assert case.hold.in_transaction_ns == 0
