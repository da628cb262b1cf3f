"""Listeners that are slow, leave, or come late; and what happens to the rest meanwhile."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pool_observer import Hold, Listener, PoolObserver
from pool_observer import delivery as module
from pool_observer.delivery import Delivery
from pool_observer.failures import Failures
from pool_observer.model import ConnectionClosed, ConnectionOpened
from pool_observer.settled import Settled
from pool_observer.watchdog import process_messenger, process_watchdog
from tests.conftest import Observe
from tests.support import FakeDatabase, RecordingListener, observer_of, wait_until


class Blocked(Listener):
    """Does not come back until it may."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.heard: list[Hold] = []
        self.closed = 0

    def hold_ended(self, hold: Hold) -> None:
        self.entered.set()
        assert self.go_on.wait(60)
        self.heard.append(hold)

    def observer_closed(self) -> None:
        self.closed += 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a listener who cannot wait."""
    monkeypatch.setattr(module, "PATIENCE", 0)
    monkeypatch.setattr("pool_observer.observer.PATIENCE", 0)


def test_a_listener_that_blocks_holds_up_nobody(
    database: FakeDatabase, observed: Observe, impatient: None
) -> None:
    engine = database.engine()
    observer, other = observed(engine, name="orders"), observed(database.engine(), name="users")
    blocked = Blocked()
    observer.subscribe(blocked)
    engine.connect().close()
    observer.catch_up()
    wait_until(blocked.entered.is_set)
    # Checkouts, figures, the watchdog and what it does each second go on.
    engine.connect().close()
    assert observer.snapshot().totals.holders["unattributed"].checkouts == 2
    ticked: list[PoolObserver] = []
    for each in (observer, other):
        each.when_ticking(lambda each=each: ticked.append(each))  # type: ignore[misc]
    wait_until(lambda: set(ticked) == {observer, other})
    observer.close()
    assert observer.closed
    assert (blocked.heard, blocked.closed) == ([], 0)
    blocked.go_on.set()
    wait_until(lambda: blocked.closed)
    assert len(blocked.heard) == 2  # and then it hears the rest
    wait_until(lambda: observer._delivery.listeners == ())


def test_who_leaves_hears_no_more_even_of_what_is_on_its_way(
    database: FakeDatabase, impatient: None
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        blocked, listener = Blocked(), RecordingListener()
        observer.subscribe(blocked)
        unsubscribe = observer.subscribe(listener)
        engine.connect().close()
        delivering = threading.Thread(target=observer.deliver)
        delivering.start()
        wait_until(blocked.entered.is_set)
        before = len(listener.holds)
        unsubscribe()
        blocked.go_on.set()
        delivering.join()
        assert len(listener.holds) == before


def test_who_comes_late_hears_what_comes_after() -> None:
    delivery = Delivery("orders", Failures())
    early, late = RecordingListener(), RecordingListener()
    delivery.add(early)
    delivery.put([ConnectionOpened("orders")])
    delivery.add(late)
    delivery.put([ConnectionClosed("orders")])
    delivery.deliver()
    assert early.events == [ConnectionOpened("orders"), ConnectionClosed("orders")]
    assert late.events == [ConnectionClosed("orders")]


def test_what_they_do_not_keep_up_with_is_dropped_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivery = Delivery("orders", Failures(), backlog=3)
    listener = RecordingListener()
    delivery.add(listener)
    delivery.put([ConnectionOpened("orders")] * 2)
    delivery.put([ConnectionClosed("orders")] * 3)
    assert delivery.dropped == 2
    delivery.put([ConnectionOpened("orders")])
    assert delivery.dropped == 3
    delivery.deliver()
    assert listener.events == [ConnectionClosed("orders")] * 2 + [ConnectionOpened("orders")]
    (record,) = caplog.records
    assert "RecordingListener" in record.getMessage()


def test_what_was_dropped_is_in_the_figures(database: FakeDatabase) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        observer._delivery._backlog = 1
        observer.subscribe(RecordingListener())
        engine.connect().close()  # a wait and a hold
        assert observer.snapshot().totals.dropped_events == 1


def test_nobody_who_has_no_listeners_pays_for_the_thread_that_tells_them(
    database: FakeDatabase, observed: Observe
) -> None:
    observer = observed(database.engine(), name="orders")
    assert observer in process_watchdog.watched()
    assert observer._delivery not in process_messenger.watched()
    observer.subscribe(RecordingListener())
    assert observer._delivery in process_messenger.watched()
    observer.close()
    assert observer._delivery not in process_messenger.watched()


def test_they_are_told_without_being_asked(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine, name="orders")
    listener = RecordingListener()
    observer.subscribe(listener)
    engine.connect().close()
    wait_until(lambda: listener.holds)


class Alarm:
    """A messenger that only remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def watch(self, watched: Delivery) -> None:
        self.said.append("watch")

    def unwatch(self, watched: Delivery) -> None:
        self.said.append("unwatch")

    def wake(self) -> None:
        self.said.append("wake")


def test_who_tells_them_is_woken_when_there_is_something_to_tell() -> None:
    delivery, alarm = Delivery("orders", Failures()), Alarm()
    delivery.through(alarm)
    delivery.put([])
    assert alarm.said == []
    delivery.add(RecordingListener())
    delivery.put([])
    delivery.put([ConnectionOpened("orders")])
    assert alarm.said == ["watch", "wake"]
    delivery.close()
    assert alarm.said == ["watch", "wake", "wake", "unwatch"]


def test_listeners_that_are_there_already_are_told_too() -> None:
    delivery, alarm = Delivery("orders", Failures()), Alarm()
    delivery.add(RecordingListener())
    delivery.through(alarm)
    assert alarm.said == ["watch"]


def test_what_happens_later_is_not_told_earlier(
    database: FakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        listener = RecordingListener()
        observer.subscribe(listener)
        settled, go_on = threading.Event(), threading.Event()
        settle = observer._ledger.settle

        def settle_and_pause(*args: Any, **kwargs: Any) -> Settled:
            found = settle(*args, **kwargs)
            if not settled.is_set():
                settled.set()
                assert go_on.wait(60)
            return found

        monkeypatch.setattr(observer._ledger, "settle", settle_and_pause)
        engine.connect().close()
        first = threading.Thread(target=observer.catch_up)
        first.start()
        wait_until(settled.is_set)
        engine.connect().close()
        second = threading.Thread(target=observer.catch_up)
        second.start()
        second.join(0.2)  # were it not to wait for the first, it would be over
        go_on.set()
        for thread in (first, second):
            thread.join()
        observer.deliver()
        began = [hold.began_ns for hold in listener.holds]
        assert len(began) == 2
        assert began == sorted(began)
