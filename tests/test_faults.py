"""Whatever fails inside us: the application's work goes on, and we say so once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import StaticPool

import pool_observer.hooks.acquiring
from pool_observer.claim import Claim
from pool_observer.holder import DerivedHolder, current_holder
from pool_observer.hooks.attachment import Attachment
from pool_observer.ledger import Ledger
from tests.support import CountingClock, FakeDatabase, RecordingListener, observer_of


class OurError(Exception):
    """Raised inside pool_observer, to see where it ends up."""


def fail(*_: object, **__: object) -> Any:
    raise OurError


def work(engine: Engine) -> list[str]:
    """Everything that passes through a hook of ours, and what the application saw of it."""
    seen = []
    engine.dispose()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.execute(text("INSERT"), [{}, {}])
        connection.exec_driver_sql("SELECT 2", execution_options={"no_parameters": True})
        connection.commit()
        connection.execute(text("SELECT 1"))
        seen.append("worked")
    if not isinstance(engine.pool, StaticPool):
        with engine.connect(), pytest.raises(PoolTimeoutError):
            engine.connect()
        seen.append("timed out")
    with engine.connect() as connection:
        connection.detach()
        seen.append("detached")
    with engine.connect() as connection:
        connection.invalidate()
        seen.append("invalidated")
    engine.connect().close()
    return seen


def an_engine(database: FakeDatabase, **options: Any) -> Engine:
    options = options or {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0}
    return database.engine(pool_pre_ping=True, **options)


PLACES: list[tuple[str, object, str]] = [
    ("beginning a wait", Ledger, "wait_begins"),
    ("ending a wait", Ledger, "wait_ends_empty_handed"),
    ("beginning a hold", Ledger, "hold_begins"),
    ("ending a hold", Ledger, "hold_ends"),
    ("ending a hold by detach", Ledger, "hold_ends"),
    ("a beginning statement", Claim, "executing_from"),
    ("an ending statement", Claim, "executed"),
    ("a transaction's end", Claim, "executed"),
    ("noting a connection's change", Ledger, "connection_changed"),
    ("observing a recreated pool", Attachment, "_arm"),
    ("settling", Ledger, "_count"),
    ("settling", Ledger, "forget"),
]


@pytest.mark.parametrize(
    ("place", "owner", "name"), PLACES, ids=[f"{place[0]}, {place[2]}" for place in PLACES]
)
def test_a_failing_hook_is_counted_logged_once_and_felt_by_nobody(
    database: FakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    place: str,
    owner: object,
    name: str,
) -> None:
    engine = an_engine(database)
    expected = work(engine)
    if place != "observing a recreated pool":  # the first pool must be armed to get there
        monkeypatch.setattr(owner, name, fail)
    with observer_of(engine) as observer:
        monkeypatch.setattr(owner, name, fail)
        with caplog.at_level(logging.WARNING, "pool_observer"):
            for _ in range(3):
                assert work(engine) == expected
            errors = observer.snapshot().totals.internal_errors
            # Not where it happens: that may be under a lock that a log's handler wants.
            assert caplog.records == []
            observer._reports.soon()
        assert errors[place] >= 1
        records = [record for record in caplog.records if f"failed in {place};" in record.message]
        assert len(records) == 1
        assert "OurError" in records[0].message
        monkeypatch.undo()
    # Closing it undoes what was done, whatever failed meanwhile.
    assert work(engine) == expected


class BrokenHolder(DerivedHolder):
    """Cannot tell anything."""

    def name(self) -> str:
        raise OurError

    def __getattribute__(self, name: str) -> Any:
        if name in ("progress", "expectation"):
            raise OurError
        return super().__getattribute__(name)


def test_a_holder_that_fails_is_nobody_elses_problem(database: FakeDatabase) -> None:
    engine = an_engine(database)
    expected = work(engine)
    token = current_holder.set(BrokenHolder(None, None))
    try:
        with observer_of(engine) as observer:
            assert work(engine) == expected
            assert observer.snapshot().totals.internal_errors["beginning a wait"] >= 1
    finally:
        current_holder.reset(token)


def test_an_owner_that_cannot_be_told_is_nobody_elses_problem(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = an_engine(database)
    expected = work(engine)
    monkeypatch.setattr(pool_observer.hooks.acquiring, "current_owner", fail)
    with observer_of(engine) as observer:
        assert work(engine) == expected
        assert sum(observer.snapshot().totals.internal_errors.values()) >= 1


def test_a_driver_that_refuses_to_tell_of_autocommit_is_no_failure_of_ours(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # psycopg2 does so when the connection is closed.
    engine = an_engine(database)
    monkeypatch.setattr(type(engine.dialect), "detect_autocommit_setting", fail, raising=False)
    with observer_of(engine) as observer, engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        state = observer.snapshot()
        assert state.open_holds[0].activity == "in_transaction"
        assert state.totals.internal_errors == {}


def test_the_log_of_our_failure_does_not_quote_the_applications(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: str) -> None:
        raise ValueError("duplicate key (email)=(somebody@example.org)")

    engine = an_engine(database)
    monkeypatch.setattr(Claim, "executed", fail)
    with observer_of(engine), engine.connect() as connection:
        database.work = refuse
        with pytest.raises(ValueError, match=r"somebody@example\.org"):
            connection.execute(text("INSERT"))
        database.work = lambda _: None
    assert "failed in an ending statement" in caplog.text
    assert "OurError" in caplog.text
    assert "somebody@example.org" not in caplog.text


def failing_at(reading: int) -> Callable[[], int]:
    """A clock that cannot be read this one time."""
    clock = CountingClock()

    def read() -> int:
        if clock() == reading:
            raise OurError
        return clock.now

    return read


@pytest.mark.parametrize("options", [{}, {"poolclass": StaticPool}], ids=["queue", "static"])
def test_a_clock_that_fails_at_any_one_reading_is_felt_by_nobody(
    database: FakeDatabase, options: dict[str, Any]
) -> None:
    engine = an_engine(database, **options)
    expected = work(engine)
    clock = CountingClock()
    with observer_of(engine, clock=clock):
        at_first = clock.now
        work(engine)
        readings = clock.now
    assert readings > at_first + 20
    for reading in range(at_first + 1, readings + 1):
        observer = observer_of(engine, clock=failing_at(reading))
        assert work(engine) == expected
        state = observer.snapshot()
        assert sum(state.totals.internal_errors.values()) == 1
        assert (state.used, state.waiting) == (0, 0)
        observer.close()


def test_a_listener_that_raises_is_counted_and_the_others_are_told(
    database: FakeDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(RecordingListener):
        def hold_ended(self, hold: object) -> None:
            raise OurError

    engine = database.engine()
    healthy = RecordingListener()
    with observer_of(engine) as observer:
        observer.subscribe(Broken())
        observer.subscribe(healthy)
        for _ in range(3):
            engine.connect().close()
        observer.deliver()
        assert len(healthy.holds) == 3
        errors = observer.snapshot().totals.internal_errors
        assert list(errors.values()) == [3]
        assert next(iter(errors)).endswith("Broken.hold_ended")
    assert len(caplog.records) == 1


def test_a_log_handler_that_raises_is_felt_by_nobody(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OurError

    engine: Engine = an_engine(database)
    monkeypatch.setattr(Ledger, "hold_ends", fail)
    logger = logging.getLogger("pool_observer")
    handler = Broken()
    logger.addHandler(handler)
    try:
        with observer_of(engine) as observer:
            connection: Connection = engine.connect()
            connection.close()
            assert observer.snapshot().totals.internal_errors["ending a hold"] == 1
    finally:
        logger.removeHandler(handler)
