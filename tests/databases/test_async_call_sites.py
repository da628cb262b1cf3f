"""The call site where the stack is in two parts: a greenlet's, and the coroutines' awaiting it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session

from tests.databases import session_helper
from tests.databases.call_sites import assert_held_from, next_line
from tests.databases.case import Case
from tests.databases.drivers import ASYNC
from tests.databases.on import on
from tests.databases.tables import Author, Base, Book


@on(*ASYNC)
async def test_async_engine_connect(case: Case) -> None:
    line = next_line()
    async with case.async_engine.connect():
        assert_held_from(case, line, "test_async_engine_connect")


@on(*ASYNC)
async def test_an_awaited_async_connection(case: Case) -> None:
    line = next_line()
    connection = await case.async_engine.connect()
    assert_held_from(case, line, "test_an_awaited_async_connection")
    await connection.close()


@on(*ASYNC)
async def test_async_engine_begin(case: Case) -> None:
    line = next_line()
    async with case.async_engine.begin():
        assert_held_from(case, line, "test_async_engine_begin")


@on(*ASYNC)
async def test_an_async_session_that_executes(case: Case) -> None:
    async with AsyncSession(case.async_engine) as session:
        line = next_line()
        await session.execute(text("SELECT 1"))
        assert_held_from(case, line, "test_an_async_session_that_executes")
        await session.commit()
        line = next_line()
        await session.scalar(text("SELECT 1"))
        assert_held_from(case, line, "test_an_async_session_that_executes")


@on(*ASYNC)
async def test_an_async_session_that_streams(case: Case) -> None:
    async with async_sessionmaker(case.async_engine).begin() as session:
        line = next_line()
        result = await session.stream(text("SELECT 1"))
        assert_held_from(case, line, "test_an_async_session_that_streams")
        assert [row async for row in result] == [(1,)]
        assert_held_from(case, line, "test_an_async_session_that_streams")


@on(*ASYNC)
async def test_an_awaited_lazy_load(case: Case) -> None:
    async with case.async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(case.async_engine, expire_on_commit=False) as session:
        author = Author(name="Ursula", books=[Book(title="The Dispossessed")])
        session.add(author)
        await session.commit()
        session.expire(author, ["books"])
        line = next_line()
        books = await author.awaitable_attrs.books
        assert_held_from(case, line, "test_an_awaited_lazy_load")
        assert [book.title for book in books] == ["The Dispossessed"]
    async with case.async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)


@on(*ASYNC)
async def test_code_run_with_run_sync_is_the_call_site_itself(case: Case) -> None:
    lines = []

    def work(session: Session) -> None:
        lines.append(next_line())
        session.execute(select(text("1")))
        assert_held_from(case, lines[0], "work")

    async with AsyncSession(case.async_engine) as session:
        await session.run_sync(work)


@on(*ASYNC)
async def test_run_sync_on_a_connection_was_asked_for_outside(case: Case) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))

    line = next_line()
    async with case.async_engine.connect() as connection:
        await connection.run_sync(work)
        assert_held_from(case, line, "test_run_sync_on_a_connection_was_asked_for_outside")


@on(*ASYNC)
async def test_each_of_several_tasks_has_its_own(case: Case) -> None:
    both_hold = asyncio.Barrier(3)
    let_go = asyncio.Event()
    lines = {}

    async def one() -> None:
        lines["one"] = next_line()
        async with case.async_engine.connect():
            await both_hold.wait()
            await let_go.wait()

    async def other() -> None:
        async with AsyncSession(case.async_engine) as session:
            lines["other"] = next_line()
            await session.execute(text("SELECT 1"))
            await both_hold.wait()
            await let_go.wait()

    tasks = [asyncio.create_task(one()), asyncio.create_task(other())]
    await both_hold.wait()
    sites = [hold.call_site for hold in case.state().open_holds]
    let_go.set()
    await asyncio.gather(*tasks)
    assert {site.function: site.line for site in sites if site} == lines


@on(*ASYNC)
async def test_an_async_helper_is_the_call_site_unless_it_is_skipped(case: Case) -> None:
    async with session_helper.async_connection_of(case.async_engine):
        site = case.hold.call_site
        assert site is not None
        assert Path(site.file).name == "session_helper.py"
        assert site.function == "async_connection_of"


@on(*ASYNC, observing={"skip_callers": ["tests.databases.session_helper"]})
async def test_the_caller_of_a_skipped_async_helper_is_the_call_site(case: Case) -> None:
    line = next_line()
    async with session_helper.async_connection_of(case.async_engine):
        assert_held_from(case, line, "test_the_caller_of_a_skipped_async_helper_is_the_call_site")
