"""Statements that the application gives up while they run."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from pool_observer.model import Activity, Ending
from tests.databases.case import Case
from tests.databases.drivers import AIOMYSQL, ASYNCPG, PSYCOPG_ASYNC
from tests.databases.on import on

WITH_A_SERVER = (ASYNCPG, PSYCOPG_ASYNC, AIOMYSQL)
"""Not aiosqlite: its thread goes on with what it does, whether anybody waits for it or not."""


async def use(engine: AsyncEngine, case: Case) -> None:
    async with engine.connect() as connection:
        await connection.execute(text(case.driver.backend.endless))


async def cancelled_while_executing(engine: AsyncEngine, case: Case) -> type[BaseException]:
    task = asyncio.ensure_future(use(engine, case))
    await case.until(case.server.is_busy)
    task.cancel()
    try:
        await task
    except BaseException as error:
        await case.until(lambda: not case.server.is_busy() or interrupted(case))
        return type(error)
    raise AssertionError("it should have been cancelled")


def interrupted(case: Case) -> bool:
    """End what the server goes on with when its client has gone."""
    case.server.interrupt()
    return not case.server.is_busy()


@on(*WITH_A_SERVER)
async def test_a_cancelled_statement_ends_its_hold(case: Case) -> None:
    twin = case.bare()
    assert isinstance(twin, AsyncEngine)
    expected = await cancelled_while_executing(twin, case)
    assert await cancelled_while_executing(case.async_engine, case) is expected
    [hold] = case.holds
    assert hold.ending is Ending.CHECKIN
    assert hold.executing_ns > 0
    state = case.state()
    assert (state.used, state.waiting, state.drift) == (0, 0, 0)


@on(*WITH_A_SERVER, pool_size=1, max_overflow=0)
async def test_the_pool_is_usable_after_cancelled_statements(case: Case) -> None:
    for _ in range(2):
        await cancelled_while_executing(case.async_engine, case)
        async with case.async_engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
            assert case.hold.activity is Activity.IN_TRANSACTION
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 4


@on(*WITH_A_SERVER)
async def test_a_statement_under_asyncio_timeout_ends_the_hold_of_its_session(case: Case) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), AsyncSession(case.async_engine) as session:
            await session.execute(text(case.driver.backend.endless))
    interrupted(case)
    for hold in case.holds:  # none, where connecting took all the time
        assert hold.ending is Ending.CHECKIN
    assert case.state().used == 0


@on(*WITH_A_SERVER)
async def test_a_task_cancelled_between_statements_gives_its_connection_back(case: Case) -> None:
    reached = asyncio.Event()

    async def hold_on() -> None:
        async with case.async_engine.begin() as connection:
            await connection.execute(text("SELECT 1"))
            reached.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(hold_on())
    await reached.wait()
    assert case.hold.activity is Activity.IN_TRANSACTION
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [hold] = case.holds
    assert (hold.ending, hold.activity) == (Ending.CHECKIN, Activity.IDLE)


@on(*WITH_A_SERVER)
async def test_a_task_cancelled_while_connecting_leaves_nothing(case: Case) -> None:
    for turns in range(12):  # each time it gets a little further
        task = asyncio.ensure_future(_connect(case))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await case.async_engine.dispose()
        assert (case.state().used, case.state().waiting) == (0, 0)


async def _connect(case: Case) -> None:
    async with case.async_engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
