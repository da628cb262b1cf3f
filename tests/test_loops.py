"""How late event loops are, on loops that run and stand still as the test says."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer.loops import BLOCKED_AFTER_NS, REMEMBERED_PROBES, LoopLag, Stall
from tests.conftest import Observe
from tests.support import FakeClock, observer_of, wait_until


class Loop:
    """An event loop in a thread of its own, which can be held up."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self._go_on = threading.Event()

    def run(self, function: Any) -> None:
        """Have it run, and wait until it has."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(function)
        self.loop.call_soon_threadsafe(done.set)
        assert done.wait(30)

    def block(self) -> None:
        blocked = threading.Event()
        self._go_on.clear()
        self.loop.call_soon_threadsafe(blocked.set)
        self.loop.call_soon_threadsafe(self._go_on.wait, 30)
        assert blocked.wait(30)

    def unblock(self) -> None:
        self._go_on.set()
        self.run(lambda: None)

    def stop(self) -> None:
        self._go_on.set()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    if loop.thread.is_alive():
        loop.stop()


def test_without_a_loop_there_is_nothing_to_say() -> None:
    lag = LoopLag(FakeClock())
    lag.follow_running()
    lag.probe()
    assert lag.lag_seconds() is None


def test_a_loop_that_answers_at_once_is_not_late(loop: Loop) -> None:
    lag = LoopLag(FakeClock())
    loop.run(lag.follow_running)
    lag.probe()
    loop.run(lambda: None)
    assert lag.lag_seconds() == 0


def test_a_blocked_loop_is_late_already(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    loop.run(lag.follow_running)
    loop.block()
    lag.probe()
    for seconds in range(1, 2 * REMEMBERED_PROBES):
        clock.advance(1)
        lag.probe()
        assert lag.lag_seconds() == seconds
    loop.unblock()
    clock.advance(5)
    assert lag.lag_seconds() == seconds  # as late as it has answered


def test_a_stall_is_shown_until_who_looks_seldom_has_seen_it(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    loop.run(lag.follow_running)
    loop.block()
    lag.probe()
    clock.advance(2)
    loop.unblock()
    for _ in range(REMEMBERED_PROBES - 1):
        lag.probe()
        loop.run(lambda: None)
        assert lag.lag_seconds() == 2
    lag.probe()
    loop.run(lambda: None)
    assert lag.lag_seconds() == 0


def test_of_several_loops_the_worst_is_shown(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    other = Loop()
    try:
        loop.run(lag.follow_running)
        other.run(lag.follow_running)
        loop.block()
        lag.probe()
        other.run(lambda: None)
        clock.advance(1)
        assert lag.lag_seconds() == 1
    finally:
        other.stop()


def test_a_loop_that_does_not_answer_for_a_second_is_blocked(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    loop.run(lag.follow_running)
    loop.block()
    lag.probe()
    clock.now = BLOCKED_AFTER_NS - 1
    assert lag.stalls() == {}
    clock.now += 1
    stall = Stall(loop.thread.ident or 0, BLOCKED_AFTER_NS)
    assert lag.stalls() == {id(loop.loop): stall}
    clock.advance(10)
    assert lag.stalls()[id(loop.loop)].blocked_ns == BLOCKED_AFTER_NS + 10_000_000_000
    loop.unblock()
    assert lag.stalls() == {}


def test_a_loop_that_has_stopped_is_not_blocked(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    loop.run(lag.follow_running)
    loop.loop.call_soon_threadsafe(loop.loop.stop)
    loop.thread.join()
    lag.probe()
    clock.advance(100)
    assert lag.stalls() == {}
    loop.loop.close()


def test_a_loop_may_move_to_another_thread(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    loop.run(lag.follow_running)
    loop.loop.call_soon_threadsafe(loop.loop.stop)
    loop.thread.join()
    loop.thread = threading.Thread(target=loop.loop.run_forever)
    loop.thread.start()
    lag.probe()
    loop.run(lambda: None)
    loop.block()
    lag.probe()
    clock.advance(2)
    assert lag.stalls()[id(loop.loop)].thread == loop.thread.ident
    loop.unblock()


def test_a_loop_that_has_stopped_is_late_for_nothing(loop: Loop) -> None:
    clock = FakeClock()
    lag = LoopLag(clock)
    loop.run(lag.follow_running)
    loop.loop.call_soon_threadsafe(loop.loop.stop)
    loop.thread.join()
    lag.probe()
    clock.advance(100)
    assert lag.lag_seconds() == 0
    loop.loop.close()
    assert lag.lag_seconds() is None
    lag.probe()
    assert lag._loops == {}


def test_loops_are_not_kept() -> None:
    lag = LoopLag(FakeClock())

    async def follow() -> None:
        lag.follow_running()

    asyncio.run(follow())
    gc.collect()
    lag.probe()
    assert lag._loops == {}


def test_where_connections_are_opened_the_loop_is_followed(observed: Observe) -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    observer = observed(engine, name="orders")

    async def use() -> None:
        assert observer.snapshot().event_loop_lag_seconds is None
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        assert observer.snapshot().event_loop_lag_seconds is not None
        await engine.dispose()

    asyncio.run(use())


def test_a_synchronous_engine_in_a_coroutine_is_where_it_matters_most() -> None:
    engine = create_engine("sqlite://")
    clock = FakeClock()

    async def use() -> None:
        with engine.connect():
            pass
        observer.tick()
        clock.advance(3)  # the loop is busy with us
        assert observer.snapshot().event_loop_lag_seconds == 3

    with observer_of(engine, clock=clock) as observer:
        asyncio.run(use())
    engine.dispose()


def test_a_child_process_has_loops_of_its_own(loop: Loop) -> None:
    lag = LoopLag(FakeClock())
    loop.run(lag.follow_running)
    lag.reset_after_fork()
    assert lag.lag_seconds() is None


def test_the_watchdog_asks(observed: Observe, loop: Loop) -> None:
    engine = create_engine("sqlite://")
    observer = observed(engine, name="orders")
    loop.run(observer.follow_running_loop)
    wait_until(lambda: any(followed.probes for followed in observer._loops._loops.values()))
