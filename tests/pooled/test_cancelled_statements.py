"""Tasks that are cancelled in the middle of a statement that goes through PgBouncer."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from pool_observer.model import Activity, Ending
from tests.databases.case import Case
from tests.databases.drivers import ASYNCPG, PSYCOPG_ASYNC
from tests.pgbouncer import Pool
from tests.pooled.through import pool_of, through_pgbouncer

SELECT = text("SELECT 1")


async def use(case: Case, statement: str) -> None:
    async with case.async_engine.connect() as connection:
        await connection.execute(text(statement))


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@through_pgbouncer(ASYNCPG, PSYCOPG_ASYNC, pool_size=1, max_overflow=0)
async def test_a_cancelled_statement_ends_its_hold_and_leaves_its_server(case: Case) -> None:
    for _ in range(2):
        task = asyncio.create_task(use(case, case.driver.backend.endless))
        await case.until(case.server.is_busy)
        assert case.hold.activity is Activity.EXECUTING
        await cancelled(task)
        # The drivers have it cancelled, and PgBouncer passes that on.
        await case.until(lambda: not case.server.is_busy())
        await case.until(lambda: pool_of(case).sv_active == 0)
        async with case.async_engine.connect() as connection:
            assert await connection.scalar(SELECT) == 1
    holds = case.holds
    assert [hold.ending for hold in holds] == [Ending.CHECKIN] * 4
    assert all(hold.executing_ns > 0 for hold in holds)
    assert (case.state().used, case.state().drift) == (0, 0)


@through_pgbouncer(ASYNCPG, settings={"default_pool_size": 1})
async def test_a_task_cancelled_in_pgbouncers_queue_holds_nothing_of_ours(case: Case) -> None:
    """PgBouncer 1.18 takes it off its queue when its turn comes. Not with psycopg: it asks
    PgBouncer to cancel the statement, and gives it five seconds to do so."""
    async with case.async_engine.connect() as first, case.async_engine.connect() as second:
        for connection in (first, second):
            await connection.execute(SELECT)
            await connection.commit()
    async with case.async_engine.connect() as first:
        await first.execute(SELECT)
        task = asyncio.create_task(use(case, "SELECT 2"))
        await case.until(lambda: pool_of(case).cl_waiting == 1)
        activities = [hold.activity for hold in case.state().open_holds]
        assert activities == [Activity.IN_TRANSACTION, Activity.EXECUTING]
        await cancelled(task)
        [hold] = case.state().open_holds
        assert hold.activity is Activity.IN_TRANSACTION
        await first.commit()
        await case.until(lambda: pool_of(case) == Pool(cl_active=1, sv_idle=1))
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 4
