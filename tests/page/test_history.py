"""What a pool has been used for in the last minutes, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from pool_observer import PoolObserver, holding
from pool_observer.page.history import SECONDS, History, Second, Use
from tests.support import FakeClock, FakeDatabase, observer_of, totals_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(database: FakeDatabase, clock: FakeClock) -> Iterator[Engine]:
    engine = create_engine(
        "sqlite://",
        module=database,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0,
    )
    with engine.connect():  # it sets itself up
        pass
    database.work = lambda statement: clock.advance(0.25) if statement == "slow" else None
    yield engine
    engine.dispose()


@pytest.fixture
def observer(engine: Engine, clock: FakeClock) -> Iterator[PoolObserver]:
    with observer_of(engine, clock=clock) as observer:
        yield observer


@pytest.fixture
def history(observer: PoolObserver) -> History:
    history = History()
    history.look(observer.settled())
    return history


def seconds(history: History) -> list[Second]:
    return list(history.seconds)


def test_each_second_tells_connections_on_average(
    engine: Engine, observer: PoolObserver, history: History, clock: FakeClock
) -> None:
    with engine.connect() as connection:
        clock.advance(0.25)
        connection.execute(text("slow"))
        clock.advance(0.25)
    clock.advance(0.25)  # a burst that is over by the time anybody looks
    history.look(observer.settled())
    with engine.connect():
        clock.advance(1)
        history.look(observer.settled())
    assert seconds(history) == [Second(0.25, 0.25, 0.25, 0, 0, 0), Second(0, 0, 1, 0, 0, 0)]


def test_time_outs_are_told_in_their_second(
    engine: Engine, observer: PoolObserver, history: History, clock: FakeClock
) -> None:
    with engine.connect():
        for _ in range(2):
            with pytest.raises(PoolTimeoutError):
                engine.connect()
        clock.advance(1)
        history.look(observer.settled())
        clock.advance(1)
        history.look(observer.settled())
    assert [second.timed_out for second in history.seconds] == [2, 0]


def test_seconds_in_which_nobody_looked_are_not_left_out(
    engine: Engine, observer: PoolObserver, history: History, clock: FakeClock
) -> None:
    with engine.connect():
        with pytest.raises(PoolTimeoutError):
            engine.connect()
        clock.advance(3)
        history.look(observer.settled())
    assert seconds(history) == [Second(0, 0, 1, 0, 1, 0), *[Second(0, 0, 1, 0, 0, 0)] * 2]


def test_a_clock_that_stands_still_tells_nothing(observer: PoolObserver, history: History) -> None:
    history.look(observer.settled())
    assert seconds(history) == []


def test_no_more_than_the_last_minutes_are_kept(
    observer: PoolObserver, history: History, clock: FakeClock
) -> None:
    for _ in range(SECONDS + 10):
        clock.advance(1)
        history.look(observer.settled())
    clock.advance(10_000_000)
    history.look(observer.settled())
    assert len(history.seconds) == SECONDS
    assert history.began_at() == clock.now - 10_000_000 * 10**9 - SECONDS * 10**9 + 10**10


def test_holders_are_told_by_what_they_have_done_lately(
    engine: Engine, observer: PoolObserver, clock: FakeClock
) -> None:
    with holding("job:before"), engine.connect():
        clock.advance(100)
    history = History()
    history.look(observer.settled())
    with holding("job:short"), engine.connect():
        clock.advance(1)
    with holding("job:long"), engine.connect() as connection:
        connection.execute(text("slow"))
        clock.advance(1)
        with holding("job:victim"), pytest.raises(PoolTimeoutError):
            engine.connect()
    totals = totals_of(observer._ledger)
    assert [use for use in history.uses(totals) if use.total_ns or use.timed_out] == [
        Use("job:long", 250_000_000, 1_000_000_000, 0, 0.0, 0, 0, 1),
        Use("job:short", 0, 0, 1_000_000_000, 0.0, 0, 0, 1),
        Use("job:victim", 0, 0, 0, 0.0, 1, 0, 0),
    ]
    assert Use("job:before", 0, 0, 0, 0.0, 0, 0, 0) in history.uses(totals)


def test_after_a_fork_it_begins_anew(
    engine: Engine, observer: PoolObserver, history: History, clock: FakeClock
) -> None:
    with engine.connect():
        clock.advance(1)
    history.look(observer.settled())
    observer.forked(in_child=True)
    history.begin_anew()
    history.look(observer.settled())
    clock.advance(1)
    history.look(observer.settled())
    assert seconds(history) == [Second(0, 0, 0, 0, 0, 0)]
