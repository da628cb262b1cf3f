from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
import weakref

from pool_observer import observe
from pool_observer.watchdog import Watchdog, process_watchdog
from tests.conftest import Observe
from tests.support import FakeDatabase, RecordingListener, wait_until


class Ticking:
    """Something watched that counts."""

    def __init__(self, *, failing: bool = False) -> None:
        self.ticks = 0
        self.caught_up = 0
        self.resets = 0
        self.failures: list[str] = []
        self._failing = failing

    def catch_up(self) -> None:
        self.caught_up += 1

    def tick(self) -> None:
        self.ticks += 1
        if self._failing:
            raise ZeroDivisionError

    def note_failure(self, place: str) -> None:
        self.failures.append(place)

    def forked(self, *, in_child: bool) -> None:
        self.resets += 1


def wait_for_a_tick_of(watched: Ticking) -> None:
    wait_until(lambda: watched.ticks)


def watchdog_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pool_observer-watchdog"]


def test_one_thread_serves_all_and_ends_with_the_last() -> None:
    watchdog = Watchdog(tick_seconds=0.001)
    one, two = Ticking(), Ticking()
    before = len(watchdog_threads())
    watchdog.watch(one)
    watchdog.watch(two)
    assert len(watchdog_threads()) == before + 1
    wait_until(lambda: one.ticks and two.ticks)
    watchdog.unwatch(one)
    seen = two.ticks
    wait_until(lambda: two.ticks > seen)
    watchdog.unwatch(two)
    wait_until(lambda: len(watchdog_threads()) == before)


def test_it_begins_again_after_it_has_ended() -> None:
    watchdog = Watchdog(tick_seconds=0.001)
    for _ in range(3):
        watched = Ticking()
        watchdog.watch(watched)
        wait_for_a_tick_of(watched)
        watchdog.unwatch(watched)


def test_woken_it_catches_up_at_once() -> None:
    watchdog = Watchdog(tick_seconds=3600)
    watched = Ticking()
    watchdog.watch(watched)
    watchdog.wake()
    watchdog.wake()
    wait_until(lambda: watched.caught_up)
    watchdog.unwatch(watched)
    assert watched.ticks == 0


def test_after_a_tick_the_next_is_a_second_away() -> None:
    now = 0.0
    watchdog = Watchdog(tick_seconds=3600, clock=lambda: now)
    watched = Ticking()
    watchdog.watch(watched)
    now = 3600.0
    watchdog.wake()
    wait_until(lambda: watched.ticks)
    watchdog.wake()
    wait_until(lambda: watched.caught_up)
    assert watched.ticks == 1
    watchdog.unwatch(watched)


def test_woken_all_the_time_it_ticks_all_the_same() -> None:
    watchdog = Watchdog(tick_seconds=0.01)
    watched = Ticking()
    watchdog.watch(watched)

    def wake_and_look() -> bool:
        watchdog.wake()
        return watched.ticks >= 2

    wait_until(wake_and_look)
    watchdog.unwatch(watched)


def test_what_fails_in_a_tick_is_noted_and_the_others_are_served() -> None:
    watchdog = Watchdog()
    failing, healthy = Ticking(failing=True), Ticking()
    watchdog._watched.update([failing, healthy])
    watchdog.tick()
    watchdog.tick()
    assert failing.failures == ["the watchdog"] * 2
    assert healthy.ticks == 2


def test_a_listener_hears_without_anybody_asking(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    listener = RecordingListener()
    observed(engine, name="orders").subscribe(listener)
    engine.connect().close()
    wait_until(lambda: listener.holds)


def test_it_goes_on_while_the_event_loop_is_blocked(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    listener = RecordingListener()
    observed(engine, name="orders").subscribe(listener)

    async def block_the_loop() -> None:
        engine.connect().close()
        wait_until(lambda: listener.holds)  # never yields to the loop

    asyncio.run(block_the_loop())


def test_nobody_has_to_keep_the_observer(database: FakeDatabase) -> None:
    engine = database.engine()
    observe(engine, name="forgotten")
    gc.collect()
    (observer,) = process_watchdog.watched()
    assert repr(observer).startswith("<PoolObserver forgotten: 0 used")
    observer.close()  # type: ignore[attr-defined]


def test_an_engine_that_is_dropped_takes_its_observer_along(database: FakeDatabase) -> None:
    engine = database.engine()
    observer = weakref.ref(observe(engine, name="dropped"))
    engine.dispose()
    del engine
    gc.collect()
    assert observer() is None
    assert process_watchdog.watched() == []
    process_watchdog.wake()
    wait_until(lambda: not watchdog_threads())


def run_python(program: str) -> str:
    """Run a program in a process of its own, in which every warning is an error.

    Except that of sqlite3, from Python 3.13 on, about what is still out at the end.
    """
    unclosed = ("-W", "ignore:unclosed database:ResourceWarning")
    process = subprocess.run(
        [sys.executable, "-W", "error", *unclosed, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout


def test_it_does_not_keep_the_interpreter_from_exiting() -> None:
    output = run_python(
        """
        from sqlalchemy import create_engine
        from pool_observer import observe, watchdog
        watchdog.process_watchdog._tick_seconds = 3600
        engine = create_engine("sqlite://")
        observe(engine)
        connection = engine.connect()  # still out at the end
        print("done")
        """
    )
    assert output == "done\n"


def test_a_forked_child_begins_with_an_empty_ledger_and_a_live_watchdog() -> None:
    output = run_python(
        """
        import os, sys, threading, time
        from sqlalchemy import create_engine
        from sqlalchemy.pool import QueuePool
        from pool_observer import Listener, observe

        class Holds(Listener):
            heard = 0
            def hold_ended(self, hold):
                self.heard += 1

        engine = create_engine("sqlite:////dev/null", poolclass=QueuePool)
        observer = observe(engine, name="orders")
        holds = Holds()
        observer.subscribe(holds)
        engine.connect().close()
        held = engine.connect()
        observer.deliver()

        child = os.fork()
        if child == 0:
            state = observer.snapshot()
            print("open", len(state.open_holds), "totals", dict(state.totals.holders))
            print("used", state.used, "drift", state.drift)
            threads = [thread.name for thread in threading.enumerate()]
            print(threads)
            engine.dispose(close=False)
            holds.heard = 0
            with engine.connect():
                print("used", observer.snapshot().used)
            deadline = time.monotonic() + 30
            while not holds.heard and time.monotonic() < deadline:
                time.sleep(0.01)
            print("heard", holds.heard)
            sys.stdout.flush()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        state = observer.snapshot()
        print("parent", state.used, state.totals.holders["unattributed"].checkouts)
        print([thread.name for thread in threading.enumerate()])
        held.close()
        """
    )
    assert output.splitlines() == [
        "open 0 totals {}",
        "used 1 drift 0",
        "['MainThread', 'pool_observer-watchdog', 'pool_observer-messenger']",
        "used 1",
        "heard 1",
        "parent 1 2",
        "['MainThread', 'pool_observer-watchdog', 'pool_observer-messenger']",
    ]


def test_a_fork_does_not_wait_for_a_listener_that_blocks() -> None:
    release = threading.Event()
    inside = threading.Event()

    class Blocked(Ticking):
        def tick(self) -> None:
            inside.set()
            release.wait()

    watchdog = Watchdog(tick_seconds=0.001)
    blocked = Blocked()
    watchdog.watch(blocked)
    inside.wait()
    watchdog._end_before_fork()  # returns although the thread is stuck
    watchdog._begin_again()
    assert len(watchdog_threads()) == 1
    release.set()
    watchdog.unwatch(blocked)
    wait_until(lambda: not watchdog_threads())


def test_the_thread_ends_before_a_fork_and_begins_again() -> None:
    watchdog = Watchdog(tick_seconds=0.001)
    watched = Ticking()
    watchdog.watch(watched)
    watchdog._end_before_fork()
    assert watchdog_threads() == []
    watchdog._begin_again()
    seen = watched.ticks
    wait_until(lambda: watched.ticks > seen)
    watchdog.unwatch(watched)


def test_a_check_in_never_waits_for_a_slow_listener(
    database: FakeDatabase, observed: Observe
) -> None:
    release = threading.Event()

    class Slow(RecordingListener):
        def hold_ended(self, hold: object) -> None:
            release.wait()

    engine = database.engine()
    observer = observed(engine, name="orders")
    observer.subscribe(Slow())
    engine.connect().close()
    delivery = threading.Thread(target=observer.deliver)
    delivery.start()
    for _ in range(100):
        engine.connect().close()
    assert observer.snapshot().used == 0
    release.set()
    delivery.join()
