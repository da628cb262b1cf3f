"""Holds that are overdue or lost are told, each once."""

from __future__ import annotations

import gc
import logging

import pytest
from sqlalchemy import Engine, text

from pool_observer import (
    Doing,
    ExplainedHold,
    IncidentKind,
    PoolObserver,
    Trouble,
    expect_long_hold,
    forensics,
    holding,
)
from tests.support import FakeClock, RecordingListener
from tests.trouble.timing_out import time_out


class Overdue(RecordingListener):
    def hold_overdue(self, held: ExplainedHold) -> None:
        self.events.append(held)


def test_a_hold_is_reported_once_when_it_crosses_its_limit_and_once_when_it_returns(
    engine: Engine, observer: PoolObserver, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Overdue()
    observer.subscribe(listener)
    with holding("job:nightly"), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        clock.advance(30)
        observer.tick()
        assert caplog.records == []
        clock.now += 1
        for _ in range(3):
            observer.tick()
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert "job:nightly has held a connection for 30.0 s" in record.message
        observer.deliver()
        held = listener.events[-1]
        assert isinstance(held, ExplainedHold)
        assert held.hold.overdue
        assert held.standing is not None
        assert held.standing.doing is Doing.RUNNING
        assert held.diagnosis is not None
        assert held.diagnosis.kind is Trouble.IDLE_IN_TRANSACTION
        clock.advance(11.2)
    for _ in range(3):
        observer.tick()
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]
    assert "job:nightly was overdue, returned after 41.2 s" in caplog.messages[1]
    observer.deliver()
    assert [type(event).__name__ for event in listener.events[-2:]] == ["ExplainedHold", "Hold"]
    kinds = [incident.kind for incident in observer.incidents()]
    assert kinds == [IncidentKind.RETURNED, IncidentKind.OVERDUE]


def test_a_hold_that_crosses_and_returns_unseen_is_one_warning_all_the_same(
    engine: Engine, observer: PoolObserver, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Overdue()
    with engine.connect():
        clock.advance(31)
    observer.tick()
    observer.subscribe(listener)
    with engine.connect():
        clock.advance(31)
    observer.tick()
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert ["(returned by now)" in record.getMessage() for record in warnings] == [True, True]
    assert [record.levelno for record in caplog.records].count(logging.INFO) == 2
    assert not any(hasattr(record, "pool_observer.standing") for record in caplog.records)
    observer.deliver()
    assert not any(isinstance(event, ExplainedHold) for event in listener.events)
    assert sum(each.overdue for each in observer.snapshot().totals.holders.values()) == 2


def test_what_is_meant_to_be_long_is_not_reported(
    engine: Engine, observer: PoolObserver, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with expect_long_hold(600, "export"), engine.connect():
        clock.advance(600)
        observer.tick()
        assert caplog.records == []
        clock.advance(1)
        observer.tick()
        assert "longer than 10 min" in caplog.text


def test_a_lost_connection_is_reported(
    engine: Engine,
    observer: PoolObserver,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with holding("job:careless"):
        connection = engine.raw_connection()
    clock.advance(5)
    del connection
    gc.collect()
    observer.tick()
    ours = [record for record in caplog.records if record.name == "pool_observer.incidents"]
    assert [record.levelno for record in ours] == [logging.WARNING]
    assert "job:careless lost a connection after 5.0 s; taken at " in ours[0].getMessage()


def test_what_cannot_be_explained_harms_nobody(
    engine: Engine,
    observer: PoolObserver,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("pool_observer.explaining.diagnose", broken)
    with engine.connect(), engine.connect():
        clock.advance(31)
        assert observer.snapshot().overdue == 2
        error = time_out(engine)
        (note,) = error.__notes__  # says what there is to say
        assert note.splitlines() == [
            'pool "orders": all 2 connections held, 1 caller waits, the first for 0 ms'
        ]
    assert observer.snapshot().totals.internal_errors == {"explaining a hold": 4}


def test_what_cannot_be_looked_into_keeps_nobody_from_a_snapshot(
    engine: Engine, observer: PoolObserver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("pool_observer.explaining.Explainer.__init__", broken)
    with engine.connect():
        clock.advance(31)
        assert observer.snapshot().overdue == 1
    observer.snapshot()  # in which its return is noted
    assert observer.snapshot().totals.internal_errors == {"looking into holds": 2}


def test_where_a_holder_stands_may_remain_unknown(
    engine: Engine, observer: PoolObserver, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("pool_observer.threads.stacks_of_threads", broken)
    with engine.connect():
        clock.advance(31)
        (held,) = observer.explain().holds
        assert held.standing is None
        assert held.diagnosis is not None
        assert held.diagnosis.kind is Trouble.IDLE


def test_of_very_many_the_rest_is_counted(
    engine: Engine,
    observer: PoolObserver,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forensics, "MOST_EXPLAINED", 1)
    with engine.connect(), engine.connect():
        clock.advance(31)
        observer.tick()
        assert caplog.messages[1:] == ['pool "orders": overdue: 1 more connection']
        explanation = observer.explain()
        assert (len(explanation.holds), explanation.holds_left_out) == (1, 1)
        assert "1 more connection held, none of them for longer" in str(explanation)


def test_what_the_parent_has_found_is_not_the_childs_to_tell(
    engine: Engine, observer: PoolObserver, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.connect():
        clock.advance(31)
        observer.snapshot()
        assert len(observer.incidents()) == 1
        observer.forked(in_child=True)
        observer.tick()
        assert (observer.incidents(), caplog.records) == ([], [])
