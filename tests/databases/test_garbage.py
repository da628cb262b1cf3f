"""Connections that nobody returns: the garbage collector does, and the hold is lost."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from pool_observer.model import Activity, Ending
from tests.databases.case import Case
from tests.databases.drivers import ASYNC, SYNC
from tests.databases.on import on


@contextmanager
def collected(case: Case) -> Iterator[None]:
    """What is dropped in here is garbage, and has been collected, when it is over."""
    if not case.driver.is_async:
        yield
        gc.collect()
        return
    # SQLAlchemy cannot await the return of such a connection; it terminates it, and warns.
    with pytest.warns(SAWarning, match="garbage collector is trying to clean up"):
        yield
        gc.collect()


@on(*SYNC)
def test_a_connection_that_is_dropped_is_lost(case: Case) -> None:
    with collected(case):
        connection = case.engine.connect()
        connection.execute(text("SELECT 1"))
        assert case.activity is Activity.IN_TRANSACTION
        del connection
    [hold] = case.holds
    assert hold.ending is Ending.LOST
    assert hold.in_transaction_ns > 0
    assert case.state().totals.holders["unattributed"].returns[Ending.LOST] == 1
    with case.engine.connect() as connection:  # the pool has it back
        assert connection.scalar(text("SELECT 1")) == 1
    assert case.state().totals.connections_opened == 1


@on(*SYNC)
def test_a_session_that_is_dropped_is_lost(case: Case) -> None:
    with collected(case):
        session = Session(case.engine)
        session.execute(text("SELECT 1"))
        del session
    assert [hold.ending for hold in case.holds] == [Ending.LOST]


@on(*SYNC)
def test_a_raw_connection_that_is_dropped_is_lost(case: Case) -> None:
    with collected(case):
        connection = case.engine.raw_connection()
        assert case.state().used == 1
        del connection
    assert [hold.ending for hold in case.holds] == [Ending.LOST]


@on(*SYNC)
def test_a_connection_dropped_in_a_cycle_is_lost_when_it_is_collected(case: Case) -> None:
    with collected(case):
        gc.collect()
        cycle: list[object] = [case.engine.connect()]
        cycle.append(cycle)
        del cycle
    assert [hold.ending for hold in case.holds] == [Ending.LOST]


@on(*ASYNC)
async def test_an_async_connection_that_is_dropped_is_lost(case: Case) -> None:
    with collected(case):
        connection = await case.async_engine.connect()
        await connection.execute(text("SELECT 1"))
        assert case.activity is Activity.IN_TRANSACTION
        del connection
    await case.until_closed()
    [hold] = case.holds
    assert hold.ending is Ending.LOST
    assert hold.in_transaction_ns > 0
    state = case.state()
    assert (state.used, state.drift) == (0, 0)
    async with case.async_engine.connect() as connection:  # a new one: the other is gone
        assert await connection.scalar(text("SELECT 1")) == 1
    assert case.state().totals.connections_opened == 2


@on(*ASYNC)
async def test_an_async_session_that_is_dropped_is_lost(case: Case) -> None:
    with collected(case):
        session = AsyncSession(case.async_engine)
        await session.execute(text("SELECT 1"))
        del session
    await case.until_closed()
    assert [hold.ending for hold in case.holds] == [Ending.LOST]


@on(*ASYNC, pool_size=1, max_overflow=0)
async def test_a_task_that_drops_its_connection_when_it_ends_loses_it(case: Case) -> None:
    async def careless() -> None:
        connection = await case.async_engine.connect()
        await connection.execute(text("SELECT 1"))

    with collected(case):
        await asyncio.create_task(careless())
    await case.until_closed()
    assert [hold.ending for hold in case.holds] == [Ending.LOST]
    async with case.async_engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
