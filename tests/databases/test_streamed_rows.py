"""Results from server-side cursors: the application gets what it gets without us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, CursorResult, Engine, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.databases.case import Case
from tests.databases.drivers import ASYNC, EVERY, MARIADB, POSTGRESQL
from tests.databases.on import on
from tests.databases.tables import Author, Base, tables

# pysqlite has no server-side cursors, so it streams nothing; its results must be right too.
STREAM = {"stream_results": True}
NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n}) "
    "SELECT i, i * 2 AS twice FROM n ORDER BY i"
)
SIZES = (0, 1, 2, 37, 1500)  # SQLAlchemy's buffer grows from 5 rows to 1000

Use = Callable[[Connection], object]
Read = Callable[[Any], object]


def came_of(engine: Engine, use: Use) -> object:
    """What using a connection returns, or the type of what it raises."""
    with engine.connect() as connection:
        try:
            return use(connection)
        except Exception as error:
            return type(error), type(getattr(error, "orig", None))


def assert_same_as_without_us(case: Case, *uses: Use) -> None:
    twin = case.twin()
    for use in uses:
        assert came_of(case.engine, use) == came_of(twin, use)


def numbers(n: int, **options: Any) -> Callable[[Connection], CursorResult[Any]]:
    query = NUMBERS.format(n=n or 1).replace("ORDER", "ORDER" if n else "WHERE i < 0 ORDER")
    statement = text(query).execution_options(**(options or STREAM))
    return lambda connection: connection.execute(statement)


TO_THE_END: tuple[Read, ...] = (
    lambda result: result.all(),
    lambda result: list(result),
    lambda result: [result.fetchone(), result.fetchone(), result.fetchmany(3), result.fetchall()],
    lambda result: list(result.partitions(7)),
    lambda result: result.scalars().all(),
    lambda result: result.mappings().all(),
    lambda result: result.freeze()().all(),
    lambda result: (list(result.keys()), result.returns_rows, result.unique().all()),
)
HALFWAY: tuple[Read, ...] = (
    lambda result: result.first(),
    lambda result: result.one_or_none(),
    lambda result: [result.fetchmany(10), result.fetchmany(1), result.fetchmany(2000)],
    lambda result: result.yield_per(4).fetchmany(),
    lambda result: (result.fetchmany(2), result.close(), result.fetchmany(2)),
)


def reading(read: Read, execute: Callable[[Connection], CursorResult[Any]]) -> Use:
    def use(connection: Connection) -> object:
        with execute(connection) as result:
            return read(result)

    return use


@on(*EVERY)
def test_streamed_rows_are_the_same_however_they_are_read(case: Case) -> None:
    for size in SIZES:
        execute = numbers(size)
        assert_same_as_without_us(case, *(reading(read, execute) for read in TO_THE_END))


@on(*(driver for driver in EVERY if driver.backend is not MARIADB))
def test_streamed_rows_are_the_same_when_left_halfway(case: Case) -> None:
    """The MariaDB drivers have no way of leaving a result halfway."""
    for size in SIZES:
        execute = numbers(size)
        assert_same_as_without_us(case, *(reading(read, execute) for read in HALFWAY))


@on(*EVERY)
def test_rows_are_the_same_with_yield_per_and_a_limited_buffer(case: Case) -> None:
    for options in ({"yield_per": 7}, {**STREAM, "max_row_buffer": 3}, {"yield_per": 1}):
        for size in SIZES[:-1]:
            execute = numbers(size, **options)
            assert_same_as_without_us(
                case,
                reading(lambda result: result.all(), execute),
                reading(lambda result: list(result.partitions()), execute),
            )


@on(*EVERY)
def test_statements_without_rows_do_what_they_do_without_us(case: Case) -> None:
    """Some drivers refuse them on a server-side cursor; then so they shall."""

    def use(connection: Connection) -> tuple[object, ...]:
        connection = connection.execution_options(**STREAM)
        made = connection.execute(text("CREATE TEMPORARY TABLE streamed (i int)"))
        inserted = connection.execute(text("INSERT INTO streamed VALUES (1), (2)"))
        seen = connection.execute(text("SELECT i FROM streamed ORDER BY i")).all()
        return made.returns_rows, inserted.returns_rows, inserted.rowcount, seen

    assert_same_as_without_us(case, use)


@on(*EVERY)
def test_streamed_statements_that_fail_fail_as_they_do_without_us(case: Case) -> None:
    def use(connection: Connection) -> object:
        return connection.execution_options(**STREAM).execute(text("SELECT x FROM nowhere")).all()

    outcome = came_of(case.engine, use)
    assert outcome == came_of(case.twin(), use)
    assert isinstance(outcome, tuple)


@on(*EVERY)
def test_writing_with_stream_results_returns_what_it_returns_without_us(case: Case) -> None:
    returning = case.driver.backend is POSTGRESQL

    def use(connection: Connection) -> object:
        connection = connection.execution_options(**STREAM)
        result = connection.execute(insert(Author).values(name="Ursula"))
        again = insert(Author).values(name="Iain")
        returned = connection.execute(again.returning(Author.name)).all() if returning else None
        connection.rollback()
        return result.rowcount, returned

    with tables(case):
        assert_same_as_without_us(case, use)


@on(*EVERY)
def test_an_orm_query_with_yield_per_returns_every_object(case: Case) -> None:
    names = [f"author {number:02}" for number in range(25)]
    with tables(case), Session(case.engine) as session:
        session.add_all(Author(name=name) for name in names)
        session.commit()
        query = select(Author).order_by(Author.id)
        seen = session.scalars(query.execution_options(yield_per=10))
        assert [author.name for author in seen] == names
        nobody = query.where(Author.name == "").execution_options(yield_per=10)
        assert session.scalars(nobody).all() == []


@on(*ASYNC)
async def test_an_async_session_streams_every_object(case: Case) -> None:
    names = [f"author {number:02}" for number in range(25)]
    async with case.async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    try:
        async with AsyncSession(case.async_engine) as session:
            session.add_all(Author(name=name) for name in names)
            await session.commit()
            query = select(Author).order_by(Author.id)
            result = await session.stream_scalars(query.execution_options(yield_per=10))
            assert [author.name async for author in result] == names
            empty = await session.stream(query.where(Author.name == ""))
            assert await empty.all() == []
    finally:
        async with case.async_engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)


@on(*(driver for driver in ASYNC if driver.backend is not MARIADB))
async def test_an_async_stream_may_be_left_halfway(case: Case) -> None:
    async with case.async_engine.connect() as connection:
        async with connection.stream(text(NUMBERS.format(n=1500))) as result:
            first = await result.fetchone()
        assert first == (1, 2)
        with pytest.raises(Exception, match="closed"):
            await result.fetchone()
        assert await connection.scalar(text("SELECT 1")) == 1
