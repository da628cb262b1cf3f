"""What has gone wrong with a pool is told: in the log, to listeners, in exceptions, on demand."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from pool_observer import (
    Activity,
    Doing,
    ExplainedHold,
    IncidentKind,
    PoolObserver,
    Trouble,
    expect_long_hold,
    forensics,
    holding,
)
from pool_observer.call_site import resolve
from tests.support import FakeClock, FakeDatabase, RecordingListener, named, observer_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(database: FakeDatabase) -> Iterator[Engine]:
    engine = create_engine(
        "sqlite://",
        module=database,
        poolclass=QueuePool,
        pool_size=2,
        max_overflow=0,
        pool_timeout=0.01,
    )
    yield engine
    engine.dispose()


@pytest.fixture
def observer(
    engine: Engine, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> Iterator[PoolObserver]:
    caplog.set_level(logging.INFO, "pool_observer")
    with observer_of(engine, name="orders", clock=clock) as observer:
        yield observer


def time_out(engine: Engine) -> PoolTimeoutError:
    with pytest.raises(PoolTimeoutError) as raised:
        engine.connect()
    return raised.value


# -- overdue ---------------------------------------------------------------------------------


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


# -- time-outs -------------------------------------------------------------------------------


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


def test_a_database_that_cannot_be_reached_is_an_incident(clock: FakeClock) -> None:
    class FailingDatabase(FakeDatabase):
        def connect(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise self.Error("password=secret")

    failing = create_engine("sqlite://", module=FailingDatabase(), poolclass=QueuePool)
    with observer_of(failing, clock=clock) as observer:
        for _ in range(2):
            with pytest.raises(Exception, match="secret"):
                failing.connect()
        (incident,) = observer.incidents()
    assert (incident.kind, incident.count) == (IncidentKind.FAILED, 2)
    assert incident.text == "no connection could be opened for unattributed: Error"


def test_a_loop_that_was_blocked_is_an_incident_when_it_runs_again(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    async def main() -> None:
        observer.follow_running_loop()
        observer.tick()
        clock.advance(3)
        observer.tick()
        assert observer.incidents() == []  # it still is
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        observer.tick()
        observer.tick()

    asyncio.run(main())
    (incident,) = observer.incidents()
    assert (incident.kind, incident.seconds) == (IncidentKind.LOOP_BLOCKED, 3)
    assert incident.call_site is not None
    assert incident.call_site.function.endswith("main")


def test_where_the_directory_is_gone_lines_are_told_all_the_same(
    engine: Engine, observer: PoolObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("os.getcwd", gone)
    resolve.cache_clear()
    with engine.connect():
        (hold,) = observer.snapshot().open_holds
    resolve.cache_clear()
    assert hold.call_site is not None
    assert hold.call_site.function.startswith("test_where_the_directory_is_gone")


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


# -- on demand -------------------------------------------------------------------------------


def test_an_explanation_of_now(engine: Engine, observer: PoolObserver, clock: FakeClock) -> None:
    with holding("POST /chat"), engine.connect():
        clock.advance(1)
        explanation = observer.explain()
    assert (explanation.used, explanation.max, explanation.waiting) == (1, 2, 0)
    (held,) = explanation.holds
    assert (held.hold.holder, held.hold.activity) == ("POST /chat", Activity.IDLE)
    assert held.hold.activity_for_seconds == 1
    assert held.standing is not None
    assert held.standing.at is not None
    assert held.standing.at.function == "test_an_explanation_of_now"
    assert str(explanation).startswith('pool "orders": 1 of 2 connections held')


def test_an_activity_is_told_since_it_began(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    with engine.connect() as connection:
        clock.advance(1)
        connection.execute(text("SELECT 1"))
        clock.advance(2)
        (held,) = observer.explain().holds
    assert (held.hold.seconds, held.hold.activity_for_seconds) == (3, 2)


def test_what_was_out_before_counts(engine: Engine) -> None:
    with engine.connect(), observer_of(engine) as observer:
        explanation = observer.explain()
        assert (explanation.used, explanation.unseen, explanation.holds) == (1, 1, ())


def test_of_very_many_who_wait_the_first_are_told(
    observer: PoolObserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forensics, "MOST_EXPLAINED", 2)
    for name in ("a", "b", "c"):
        observer._ledger.wait_begins(name, named(name))
    explanation = observer.explain()
    assert explanation.waiting == 3
    assert [wait.holder for wait in explanation.waits] == ["a", "b"]


def test_after_the_end_nobody_holds_anything(engine: Engine, observer: PoolObserver) -> None:
    with engine.connect():
        observer.close()
        assert observer.explain().holds == ()


def test_what_was_found_is_logged_before_the_end(
    engine: Engine, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    with observer_of(engine, clock=clock) as observer, engine.connect():
        clock.advance(31)
        observer.snapshot()
        assert caplog.records == []
    assert "has held a connection for 31.0 s" in caplog.text


def test_a_filter_that_raises_is_counted(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    def refuse(record: logging.LogRecord) -> bool:
        raise RuntimeError("refused")

    logger = logging.getLogger("pool_observer.incidents")
    logger.addFilter(refuse)
    try:
        with engine.connect():
            clock.advance(31)
            observer.tick()
    finally:
        logger.removeFilter(refuse)
    assert observer.snapshot().totals.internal_errors == {"logging": 1}
