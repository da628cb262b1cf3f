"""Who gets no connection is told who has them."""

from __future__ import annotations

import traceback

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from pool_observer import (
    PoolObserver,
    forensics,
    holding,
)
from tests.support import FakeClock, FakeDatabase, RecordingListener, observer_of
from tests.trouble.timing_out import time_out


def test_a_time_out_says_who_held_the_connections(
    engine: Engine, observer: PoolObserver, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with holding("POST /chat"), engine.connect() as chat:
        chat.execute(text("SELECT 1"))
        clock.advance(5)
        with holding("job:nightly"), engine.connect():
            clock.advance(5)
            error = time_out(engine)
    assert type(error) is PoolTimeoutError
    assert str(error).startswith("QueuePool limit of size 2 overflow 0 reached")
    (note,) = error.__notes__
    lines = note.splitlines()
    assert lines[0] == ('pool "orders": all 2 connections held, 1 caller waits, the first for 0 ms')
    assert lines[1].startswith("  1 x POST /chat, for 10.0 s, in transaction, taken at ")
    assert "in test_a_time_out_says_who_held_the_connections" in lines[1]
    assert "      waiting for a second connection" in note
    assert any(line.startswith("  1 x job:nightly, for 5.0 s, idle, taken at ") for line in lines)
    assert note in "".join(traceback.format_exception(error))
    assert caplog.records == []  # the application is not kept waiting for its log
    observer.tick()
    (record,) = caplog.records
    assert "1 checkout timed out, the last of job:nightly after 0 ms" in record.message
    assert note in record.message


def test_who_times_out_just_after_another_is_told_the_same(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    with engine.connect(), engine.connect():
        first = time_out(engine)
        clock.now += forensics.SUMMARY_LASTS_NS
        assert time_out(engine).__notes__ == first.__notes__
        clock.now += 1
        assert time_out(engine).__notes__ != first.__notes__


def test_the_last_time_outs_are_logged_at_the_end(
    engine: Engine, observer: PoolObserver, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.connect(), engine.connect():
        for _ in range(2):
            time_out(engine)
            observer.tick()
    assert len(caplog.records) == 1
    observer.close()
    assert len(caplog.records) == 2


def test_a_note_looks_into_no_more_holds_than_there_is_time_for(
    engine: Engine, observer: PoolObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forensics, "MOST_IN_A_NOTE", 1)
    with engine.connect(), engine.connect():
        assert "  1 more connection held, none of them for longer" in time_out(engine).__notes__[0]


def test_a_child_process_does_not_tell_who_held_connections_in_its_parent(
    engine: Engine, observer: PoolObserver
) -> None:
    with holding("the parent"), engine.connect(), engine.connect():
        assert "the parent" in time_out(engine).__notes__[0]
        observer.forked(in_child=True)
        assert "the parent, " not in time_out(engine).__notes__[0]


def test_a_time_out_of_another_pool_is_that_ones(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    """Such as of one whose connections ours are made of."""
    outer = create_engine("sqlite://", creator=lambda: engine.connect(), poolclass=QueuePool)
    with observer_of(outer, name="outer", clock=clock) as other:
        with engine.connect(), engine.connect():
            error = time_out(outer)
        assert [note.splitlines()[0] for note in error.__notes__] == [
            'pool "orders": all 2 connections held, 1 caller waits, the first for 0 ms'
        ]
        assert other.incidents() == []


def test_other_errors_are_left_alone(engine: Engine, observer: PoolObserver) -> None:
    class FailingDatabase(FakeDatabase):
        def connect(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise self.Error("refused")

    failing = create_engine("sqlite://", module=FailingDatabase(), poolclass=QueuePool)
    with observer_of(failing), pytest.raises(Exception, match="refused") as raised:
        failing.connect()
    assert not hasattr(raised.value, "__notes__")


def test_the_wait_that_timed_out_does_not_contain_our_explaining(
    engine: Engine, observer: PoolObserver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = RecordingListener()
    observer.subscribe(listener)

    def slow(*_: object) -> object:
        clock.advance(100)
        raise RuntimeError("too slow")

    monkeypatch.setattr(forensics.Forensics, "explain", slow)
    with engine.connect(), engine.connect():
        time_out(engine)
    observer.deliver()
    assert [wait.seconds for wait in listener.waits] == [0, 0, 0]
