"""Facts about what a hold is spent on."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from pool_observer import Activity
from tests.postgres import Postgres
from tests.support import FakeClock, FakeDatabase, RecordingListener, observer_of

SQLALCHEMY_2_0 = version("sqlalchemy").startswith("2.0.")


def test_fact_13_we_see_a_hold_where_the_official_instrumentation_sees_nothing(
    database: FakeDatabase,
) -> None:
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

    engine = database.engine()
    instrumentor = SQLAlchemyInstrumentor()
    instrumentor.instrument(engine=engine)
    try:
        assert instrumentor.is_instrumented_by_opentelemetry is SQLALCHEMY_2_0
        with observer_of(engine) as observer, engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            (hold,) = observer.snapshot().open_holds
            assert hold.activity is Activity.IN_TRANSACTION
    finally:
        if SQLALCHEMY_2_0:
            instrumentor.uninstrument()


def test_fact_14a_observing_attaches_no_listener_for_connection_events(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    assert engine._has_events is False
    with observer_of(engine):
        assert engine._has_events is False
        assert engine.dialect._has_events is False

    # It takes no more than one that does nothing.
    event.listen(engine, "engine_disposed", lambda _: None)
    assert engine._has_events is True


def test_fact_14e_the_time_a_commit_takes_is_executing(database: FakeDatabase) -> None:
    clock = FakeClock()
    engine = database.engine()
    before: list[int] = []
    event.listen(engine, "commit", lambda _: before.append(clock.now))
    event.listen(engine, "rollback", lambda _: before.append(clock.now))
    seconds = {"SELECT 1": 0.5, "commit": 2.0, "rollback": 3.0}
    database.work = lambda statement: clock.advance(seconds[statement])
    with observer_of(engine, clock=clock) as observer, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        clock.advance(10)
        connection.commit()
        assert before == [10_500_000_000]  # the event comes before the work
        clock.advance(100)
        (hold,) = observer.snapshot().open_holds
        assert hold.activity is Activity.IDLE
        assert (hold.executing_seconds, hold.in_transaction_seconds) == (2.5, 10.0)
        assert hold.idle_seconds == 100.0
        connection.execute(text("SELECT 1"))
        connection.rollback()
        (hold,) = observer.snapshot().open_holds
        assert (hold.executing_seconds, hold.in_transaction_seconds) == (6.0, 10.0)


def test_fact_14e_the_reset_on_return_is_executing(database: FakeDatabase) -> None:
    clock = FakeClock()
    engine = database.engine()
    listener = RecordingListener()
    database.work = lambda statement: clock.advance(3.0 if statement == "rollback" else 0.0)
    with observer_of(engine, clock=clock) as observer:
        observer.subscribe(listener)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            clock.advance(1)
        observer.deliver()
    (hold,) = listener.holds
    assert (hold.executing_seconds, hold.in_transaction_seconds) == (3.0, 1.0)


def test_fact_14e_autocommit_begins_but_is_never_in_transaction(database: FakeDatabase) -> None:
    clock = FakeClock()
    engine = database.engine()
    begun: list[object] = []
    event.listen(engine, "begin", begun.append)
    database.work = lambda _: clock.advance(1)
    with observer_of(engine, clock=clock) as observer, engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("SELECT 1"))
        clock.advance(5)
        assert len(begun) == 1
        (hold,) = observer.snapshot().open_holds
        assert hold.activity is Activity.IDLE
        assert (hold.executing_seconds, hold.in_transaction_seconds) == (1.0, 0.0)
        assert hold.idle_seconds == 5.0


def test_fact_14e_fetching_from_a_server_side_cursor_is_executing(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    fetch = psycopg.ServerCursor.fetchmany

    def fetch_for_a_second(cursor: Any, size: int) -> Any:
        clock.advance(1)
        return fetch(cursor, size)

    monkeypatch.setattr(psycopg.ServerCursor, "fetchmany", fetch_for_a_second)
    engine = create_engine(postgres.url("psycopg"))
    with observer_of(engine, clock=clock) as observer, engine.connect() as connection:
        result = connection.execution_options(stream_results=True, max_row_buffer=10).execute(
            text("SELECT generate_series(1, 30)")
        )
        rows = []
        for (row,) in result:
            clock.advance(0.25)  # what the application does with the row
            rows.append(row)
        assert rows == list(range(1, 31))
        (hold,) = observer.snapshot().open_holds
        # 1 row to describe the result by, then buffers of 5, 10, 10, 4 and none.
        assert hold.executing_seconds == 6.0
        assert hold.in_transaction_seconds == 30 * 0.25
    engine.dispose()


def test_fact_14f_raw_driver_work_counts_as_idle(database: FakeDatabase) -> None:
    # Only the owning thread could ask the driver for the truth, and it is busy.
    clock = FakeClock()
    engine = database.engine()
    database.work = lambda _: clock.advance(1)
    with observer_of(engine, clock=clock) as observer:
        proxy = engine.raw_connection()
        proxy.cursor().execute("SELECT 1")
        (hold,) = observer.snapshot().open_holds
        assert (hold.activity, hold.idle_seconds) == (Activity.IDLE, 1.0)
        proxy.close()
        assert observer.snapshot().used == 0


def test_fact_08_what_we_raise_in_a_check_in_reaches_nobody(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Engine = database.engine()
    with observer_of(engine) as observer:
        # What a listener of SQLAlchemy's raises does reach the application.
        event.listen(engine, "checkout", _fail)
        with pytest.raises(ZeroDivisionError):
            engine.connect()
        event.remove(engine, "checkout", _fail)

        finished = observer._ledger.finished
        with engine.connect():
            monkeypatch.setattr(observer._ledger, "finished", None)
        monkeypatch.setattr(observer._ledger, "finished", finished)
        assert observer.snapshot().totals.internal_errors == {"ending a hold": 1}


def _fail(*_: object) -> None:
    raise ZeroDivisionError
