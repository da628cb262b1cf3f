"""When a hold's first statement began, and when its last commit was done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from tests.support import FakeClock, FakeDatabase, RecordingListener, observer_of

SECOND = 1_000_000_000


def marks(
    database: FakeDatabase, use: Callable[[Connection, FakeClock], object]
) -> tuple[float | None, float | None]:
    """Seconds after which a hold has executed its first statement, and done its last commit."""
    clock, listener = FakeClock(), RecordingListener()
    engine = database.engine()
    with observer_of(engine, clock=clock) as observer:
        observer.subscribe(listener)
        with engine.connect() as connection:
            clock.advance(1)
            use(connection, clock)
            clock.advance(1)
        observer.deliver()
        (hold,) = listener.holds
    first, last = hold.first_statement_after_ns, hold.committed_after_ns
    return (
        None if first is None else first / SECOND,
        None if last is None else last / SECOND,
    )


def test_without_statements_there_is_nothing_to_mark(database: FakeDatabase) -> None:
    assert marks(database, lambda connection, _: connection.commit()) == (None, None)


def test_the_first_statement_and_the_last_commit_count(database: FakeDatabase) -> None:
    def use(connection: Connection, clock: FakeClock) -> None:
        for _ in range(2):
            connection.execute(text("SELECT 1"))
            clock.advance(2)
            connection.execute(text("SELECT 2"))
            clock.advance(4)
            connection.commit()

    assert marks(database, use) == (1, 13)


def test_a_commit_is_done_when_the_database_has_said_so(database: FakeDatabase) -> None:
    def use(connection: Connection, clock: FakeClock) -> None:
        connection.execute(text("SELECT 1"))
        database.work = lambda what: clock.advance(8)
        connection.commit()
        database.work = lambda _: None

    assert marks(database, use) == (1, 9)


def test_a_rollback_is_no_commit(database: FakeDatabase) -> None:
    def use(connection: Connection, _: FakeClock) -> None:
        connection.execute(text("SELECT 1"))
        connection.rollback()

    assert marks(database, use) == (1, None)


def test_a_commit_that_fails_is_none(database: FakeDatabase) -> None:
    def fail(what: str) -> None:
        if what == "commit":
            raise database.Error("serialization failure")

    def use(connection: Connection, _: FakeClock) -> None:
        connection.execute(text("SELECT 1"))
        database.work = fail
        with pytest.raises(Exception, match="serialization failure"):
            connection.commit()
        database.work = lambda _: None

    assert marks(database, use) == (1, None)
