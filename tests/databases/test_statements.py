"""Statements that go to the driver in other ways than a plain execute."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import EVERY
from tests.databases.on import on
from tests.databases.tables import Author, tables

IN_TRANSACTION, IDLE = Activity.IN_TRANSACTION, Activity.IDLE
NAMES = [{"name": f"author {number}"} for number in range(25)]


@on(*EVERY)
def test_executemany_is_executing(case: Case) -> None:
    with tables(case), case.engine.connect() as connection:
        connection.execute(insert(Author), NAMES)
        assert case.activity is IN_TRANSACTION
        assert case.hold.executing_ns > 0
        connection.commit()
        assert case.activity is IDLE
        assert connection.scalar(select(func.count(Author.id))) == len(NAMES)


@on(*EVERY, insertmanyvalues_page_size=10)
def test_insertmanyvalues_is_executing_page_by_page(case: Case) -> None:
    """Where the dialect has no RETURNING, SQLAlchemy refuses; then one by one must do."""
    with tables(case), case.engine.connect() as connection:
        if not case.engine.dialect.insert_executemany_returning:
            for row in NAMES:
                connection.execute(insert(Author), row)
        else:
            rows = connection.execute(insert(Author).returning(Author.name), NAMES)
            assert {name for (name,) in rows} == {row["name"] for row in NAMES}
        assert case.activity is IN_TRANSACTION
        assert case.hold.executing_ns > 0
        connection.rollback()
        assert case.activity is IDLE
        assert connection.scalar(select(func.count(Author.id))) == 0


@on(*EVERY)
def test_an_executemany_that_fails_leaves_a_transaction(case: Case) -> None:
    with tables(case), case.engine.connect() as connection:
        with pytest.raises(IntegrityError):
            connection.execute(insert(Author), [*NAMES, NAMES[0]])
        assert case.activity is IN_TRANSACTION
        connection.rollback()
        assert case.activity is IDLE


@on(*EVERY)
def test_a_savepoint_belongs_to_its_transaction(case: Case) -> None:
    with tables(case), case.engine.connect() as connection:
        connection.execute(insert(Author), NAMES[0])
        with connection.begin_nested():
            connection.execute(insert(Author), NAMES[1])
            assert case.activity is IN_TRANSACTION
        assert case.activity is IN_TRANSACTION  # released
        before = case.hold.executing_ns
        savepoint = connection.begin_nested()
        assert case.hold.executing_ns > before  # SAVEPOINT is a statement
        connection.execute(insert(Author), NAMES[2])
        savepoint.rollback()
        assert case.activity is IN_TRANSACTION  # rolled back, but to the savepoint
        connection.commit()
        assert case.activity is IDLE
        names = connection.scalars(select(Author.name).order_by(Author.id)).all()
        assert names == ["author 0", "author 1"]


@on(*EVERY)
def test_a_savepoint_at_the_start_begins_the_transaction(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.begin()
        assert case.activity is IDLE
        with connection.begin_nested():
            assert case.activity is IN_TRANSACTION
        assert case.activity is IN_TRANSACTION


@on(*EVERY)
def test_a_statement_without_parameters_is_executing(case: Case) -> None:
    """`no_parameters` makes SQLAlchemy call another method of the dialect."""
    with case.engine.connect() as connection:
        statement = text("SELECT 1").execution_options(no_parameters=True)
        before = case.hold.executing_ns
        assert connection.execute(statement).scalar() == 1
        assert case.activity is IN_TRANSACTION
        assert case.hold.executing_ns > before
        assert connection.exec_driver_sql("SELECT 2").scalar() == 2
        running = case.in_background(
            lambda: connection.exec_driver_sql(
                case.driver.backend.endless, execution_options={"no_parameters": True}
            )
        )
        case.wait_until(case.server.is_busy)
        activity = case.activity
        case.server.interrupt()
        running.failure()
        assert activity is Activity.EXECUTING
