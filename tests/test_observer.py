from __future__ import annotations

import pytest
from sqlalchemy import text

from pool_observer import Activity, Ending, Listener, PoolState, Thresholds
from tests.support import FakeClock, FakeDatabase, RecordingListener, observer_of


def test_a_snapshot_shows_the_pool_at_this_instant(database: FakeDatabase) -> None:
    clock = FakeClock()
    engine = database.engine(pool_size=3, max_overflow=1)
    with observer_of(engine, clock=clock, leak_after=5) as observer:
        first = engine.connect()
        clock.advance(4)
        second = engine.connect()
        clock.advance(2)
        second.execute(text("SELECT 1"))
        clock.advance(1)
        state = observer.snapshot()
        assert isinstance(state, PoolState)
        assert (state.used, state.idle, state.waiting, state.max) == (2, 0, 0, 4)
        assert (state.utilization, state.drift, state.unseen) == (0.5, 0, 0)
        assert [hold.seconds for hold in state.open_holds] == [7.0, 3.0]
        assert [hold.overdue for hold in state.open_holds] == [True, False]
        assert (state.oldest_hold_seconds, state.overdue) == (7.0, 1)
        assert state.oldest_wait_seconds == 0.0
        assert state.totals.holders["unattributed"].activity_ns == {
            Activity.EXECUTING: 0,
            Activity.IN_TRANSACTION: 10**9,
            Activity.IDLE: 9 * 10**9,
        }
        assert repr(observer) == "<PoolObserver test: 2 used, 0 idle, 0 waiting, max 4>"
        first.close()
        second.close()
        assert repr(observer) == "<PoolObserver test: 0 used, 2 idle, 0 waiting, max 4>"


def test_a_closed_observer_answers_with_what_it_saw_last(database: FakeDatabase) -> None:
    engine = database.engine()
    observer = observer_of(engine)
    with engine.connect():
        assert not observer.closed
        observer.close()
        observer.close()
        assert observer.closed
    assert repr(observer) == "<PoolObserver test: closed>"
    state = observer.snapshot()
    assert state.closed
    assert state.used == 1
    observer.deliver()
    observer.tick()
    with pytest.raises(RuntimeError, match=r'pool "test" is closed; observe\(engine\) makes a new'):
        observer.subscribe(RecordingListener())


def test_a_listener_hears_from_its_subscription_to_its_end(database: FakeDatabase) -> None:
    engine = database.engine()
    listener = RecordingListener()
    with observer_of(engine) as observer:
        engine.connect().close()
        unsubscribe = observer.subscribe(listener)
        engine.connect().close()
        unsubscribe()
        unsubscribe()
        engine.connect().close()
        observer.deliver()
        assert len(listener.holds) == len(listener.waits) == 1
    assert listener.closed == 0


def test_a_listener_is_told_that_no_more_will_come(database: FakeDatabase) -> None:
    engine = database.engine()
    listener = RecordingListener()
    observer = observer_of(engine)
    observer.subscribe(listener)
    engine.connect().close()
    observer.close()
    assert [hold.ending for hold in listener.holds] == [Ending.CHECKIN]
    assert listener.closed == 1
    observer.close()
    assert listener.closed == 1


def test_what_is_no_listener_is_refused(database: FakeDatabase) -> None:
    with (
        observer_of(database.engine()) as observer,
        pytest.raises(TypeError, match=r"is not a pool_observer.Listener; subclass it"),
    ):
        observer.subscribe(print)  # type: ignore[arg-type]


def test_a_listener_may_do_nothing_at_all(database: FakeDatabase) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        observer.subscribe(Listener())
        with engine.connect() as connection:
            connection.invalidate()
        observer.deliver()
        assert observer.snapshot().totals.internal_errors == {}


def test_a_listener_may_ask_for_a_snapshot_and_leave(database: FakeDatabase) -> None:
    engine = database.engine()
    asked: list[PoolState] = []

    class Curious(Listener):
        def hold_ended(self, hold: object) -> None:
            asked.append(observer.snapshot())
            observer.deliver()
            unsubscribe()

    with observer_of(engine) as observer:
        unsubscribe = observer.subscribe(Curious())
        engine.connect().close()
        engine.connect().close()
        observer.deliver()
        assert len(asked) >= 1
        assert observer.snapshot().totals.internal_errors == {}


@pytest.mark.parametrize("value", [-1, -0.001, float("nan")])
def test_a_negative_threshold_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="queue_wait must be 0 or more"):
        Thresholds(queue_wait=value)
