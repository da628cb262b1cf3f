"""Holds taken by ORM sessions: when they begin and end, and what they do meanwhile."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.util import greenlet_spawn

from pool_observer.model import Activity, Ending
from tests.databases.case import Case
from tests.databases.drivers import ASYNC, EVERY
from tests.databases.on import on
from tests.databases.tables import Author, Base, Book, tables

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE


@on(*EVERY)
def test_a_session_holds_from_its_first_statement_to_its_commit(case: Case) -> None:
    with tables(case), Session(case.engine) as session:
        session.add(Author(name="Ursula", books=[Book(title="The Dispossessed")]))
        assert case.state().used == 0
        session.flush()
        assert case.activity is IN_TRANSACTION
        assert case.hold.executing_ns > 0
        session.commit()
        assert case.state().used == 0
        assert session.scalar(select(func.count(Book.id))) == 1
        assert case.activity is IN_TRANSACTION
        session.rollback()
        assert case.state().used == 0
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2


@on(*EVERY)
def test_a_session_with_a_nested_transaction_holds_one_connection(case: Case) -> None:
    with tables(case), Session(case.engine) as session:
        session.add(Author(name="Ursula"))
        with session.begin_nested() as savepoint:
            session.add(Author(name="Iain"))
            session.flush()
            savepoint.rollback()
        assert case.activity is IN_TRANSACTION
        session.commit()
        assert session.scalars(select(Author.name)).all() == ["Ursula"]


@on(*EVERY)
def test_a_session_on_a_connection_does_not_end_its_hold(case: Case) -> None:
    with tables(case), case.engine.connect() as connection:
        with Session(connection) as session:
            session.add(Author(name="Ursula"))
            session.commit()
        assert case.activity is IDLE
        assert case.holds == []


@on(*EVERY, pool_size=1, max_overflow=0)
def test_a_session_that_fails_gives_its_connection_back(case: Case) -> None:
    with tables(case):
        for _ in range(3):
            try:
                with Session(case.engine) as session, session.begin():
                    session.add(Author(name="Ursula"))
                    session.flush()
                    _ = 1 / 0
            except ZeroDivisionError:
                pass
        assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 3


@on(*ASYNC)
async def test_an_async_session_holds_from_its_first_statement_to_its_commit(case: Case) -> None:
    async with case.async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    try:
        async with AsyncSession(case.async_engine) as session:
            session.add(Author(name="Ursula", books=[Book(title="The Dispossessed")]))
            assert case.state().used == 0
            await session.flush()
            assert case.activity is IN_TRANSACTION
            await session.commit()
            assert case.state().used == 0
            assert await session.scalar(select(func.count(Book.id))) == 1
            assert case.activity is IN_TRANSACTION
            await session.rollback()
            assert case.state().used == 0
    finally:
        async with case.async_engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
    assert {hold.ending for hold in case.holds} == {Ending.CHECKIN}


@on(*ASYNC)
async def test_an_async_session_is_executing_while_another_task_looks(case: Case) -> None:
    async with AsyncSession(case.async_engine) as session:
        connection = await session.connection()
        assert connection.sync_connection is not None
        running = await greenlet_spawn(case.start_endless, connection.sync_connection)
        activity = case.activity
        case.server.interrupt()
        await greenlet_spawn(running.failure)
        assert activity is EXECUTING
        assert case.activity is IN_TRANSACTION
        await session.rollback()
        assert case.state().used == 0
        await session.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION
