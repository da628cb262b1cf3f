from __future__ import annotations

import threading
from typing import Any

import pytest

from pool_observer.claim import IDLE, IN_TRANSACTION, Claim
from pool_observer.holder import DerivedHolder
from pool_observer.ledger import Ledger
from pool_observer.model import (
    OTHER,
    UNATTRIBUTED,
    Activity,
    ConnectionClosed,
    ConnectionOpened,
    Ending,
    Hold,
    Outcome,
    Stage,
    Wait,
)
from tests.support import FakeClock, named, open_claims, totals_of


class Proxy:
    """Something to hold."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_000)


@pytest.fixture
def ledger(clock: FakeClock) -> Ledger:
    return Ledger("orders", clock=clock, wall_clock=lambda: clock.now + 5_000_000_000)


def hold(ledger: Ledger, key: str = "connection", holder: str | None = None) -> Claim:
    """Begin a hold without waiting."""
    proxy = Proxy()
    claim = ledger.wait_begins(object(), None if holder is None else named(holder))
    ledger.hold_begins(claim, key, lambda: proxy)
    return claim


def test_a_wait_and_a_hold_tell_all_about_themselves(ledger: Ledger, clock: FakeClock) -> None:
    proxy = Proxy()
    claim = ledger.wait_begins("task", named("GET /"))
    clock.advance(1)
    claim.pinging_at = clock.now
    clock.advance(2)
    claim.connecting_at = clock.now
    clock.advance(4)
    ledger.hold_begins(claim, "connection", lambda: proxy, backend_pid=42)
    clock.advance(8)
    before = claim.executing_from(clock.now)
    clock.advance(16)
    claim.executed(before, clock.now, IN_TRANSACTION)
    clock.advance(32)
    assert ledger.hold_ends("connection", Ending.CHECKIN)

    wait, hold = ledger.settle(tell=True).events
    assert isinstance(wait, Wait)
    assert (wait.holder, wait.outcome, wait.stage) == ("GET /", Outcome.ACQUIRED, Stage.CONNECT)
    assert (wait.queue_seconds, wait.ping_seconds, wait.connect_seconds) == (1.0, 2.0, 4.0)
    assert wait.seconds == 7.0
    assert wait.began_ns == 5_000_001_000
    assert isinstance(hold, Hold)
    assert (hold.holder, hold.ending, hold.backend_pid) == ("GET /", Ending.CHECKIN, 42)
    assert (hold.idle_seconds, hold.executing_seconds, hold.in_transaction_seconds) == (8, 16, 32)
    assert hold.seconds == 56.0
    assert hold.waited_ns == 7_000_000_000
    assert hold.began_ns == 12_000_001_000
    assert hold.overdue

    totals = totals_of(ledger).holders["GET /"]
    assert (totals.queue_ns, totals.ping_ns, totals.connect_ns) == (10**9, 2 * 10**9, 4 * 10**9)
    assert totals.checkouts == totals.returns[Ending.CHECKIN] == 1
    assert sum(totals.activity_ns.values()) == 56 * 10**9
    assert ledger.settle(tell=True).events == []


def test_open_holds_are_counted_as_they_run_and_never_twice(
    ledger: Ledger, clock: FakeClock
) -> None:
    claim = hold(ledger)
    idle = []
    for _ in range(3):
        clock.advance(1)
        ledger.settle()
        idle.append(totals_of(ledger).holders[UNATTRIBUTED].activity_ns[Activity.IDLE])
    assert idle == [10**9, 2 * 10**9, 3 * 10**9]
    claim.executed(claim.executing_from(clock.now), clock.now, IN_TRANSACTION)
    clock.advance(1)
    ledger.hold_ends("connection", Ending.CHECKIN)
    clock.advance(100)
    ledger.settle()
    totals = totals_of(ledger).holders[UNATTRIBUTED]
    assert totals.activity_ns == {
        Activity.IDLE: 3 * 10**9,
        Activity.EXECUTING: 0,
        Activity.IN_TRANSACTION: 10**9,
    }
    assert totals.checkouts == 1
    assert totals.waits[Outcome.ACQUIRED] == 1


def test_the_wait_of_an_open_hold_is_told_once(ledger: Ledger) -> None:
    hold(ledger)
    assert [type(event) for event in ledger.settle(tell=True).events] == [Wait]
    ledger.hold_ends("connection", Ending.CHECKIN)
    assert [type(event) for event in ledger.settle(tell=True).events] == [Hold]


def test_a_hold_whose_proxy_is_garbage_was_lost(ledger: Ledger) -> None:
    claim = ledger.wait_begins(object())
    ledger.hold_begins(claim, "connection", lambda: None)
    ledger.hold_ends("connection", Ending.CHECKIN)
    assert claim.ending is Ending.LOST


def test_ending_what_is_not_open_is_no_event(ledger: Ledger) -> None:
    assert not ledger.hold_ends("never seen", Ending.CHECKIN)
    hold(ledger)
    assert ledger.hold_ends("connection", Ending.CHECKIN)
    assert not ledger.hold_ends("connection", Ending.CHECKIN)
    ledger.settle()
    assert totals_of(ledger).holders[UNATTRIBUTED].returns[Ending.CHECKIN] == 1


def test_a_record_handed_out_again_ends_its_earlier_hold(ledger: Ledger) -> None:
    # Pools take a detached connection's record back just before they tell.
    first = hold(ledger)
    second = hold(ledger)
    assert first.ending is Ending.DETACHED
    assert list(ledger.holds.values()) == [second]


def test_a_detached_hold_ends_only_if_it_is_the_one(ledger: Ledger) -> None:
    assert not ledger.hold_detached("connection", lambda _: True)
    claim = hold(ledger)
    assert ledger.hold_detached("connection", lambda _: False)
    assert claim.ending is None
    assert ledger.hold_detached("connection", lambda _: True)
    assert claim.ending is Ending.DETACHED


def test_the_same_proxy_handed_out_again_is_the_same_hold(ledger: Ledger) -> None:
    proxy = Proxy()
    first = ledger.wait_begins(object())
    ledger.hold_begins(first, "connection", lambda: proxy)
    nested = ledger.wait_begins(object())
    ledger.hold_begins(nested, "connection", lambda: proxy)
    ledger.hold_ends("connection", Ending.CHECKIN)
    ledger.settle()
    totals = totals_of(ledger).holders[UNATTRIBUTED]
    assert (totals.checkouts, totals.waits[Outcome.ACQUIRED]) == (1, 1)
    assert open_claims(ledger) == ([], [])


def test_an_owner_that_asks_while_it_asks_has_two_waits(ledger: Ledger) -> None:
    outer = ledger.wait_begins("task", named("outer"))
    inner = ledger.wait_begins("task", named("inner"))
    assert open_claims(ledger)[1] == [outer, inner]
    ledger.wait_ends_empty_handed(inner, Outcome.TIMED_OUT)
    assert open_claims(ledger)[1] == [outer]
    ledger.wait_ends_empty_handed(outer, Outcome.FAILED)
    assert open_claims(ledger) == ([], [])


def test_open_claims_come_the_oldest_first(ledger: Ledger, clock: FakeClock) -> None:
    claims = []
    for number in range(5):
        clock.advance(1)
        claims.append(hold(ledger, key=f"connection {number}"))
    waits = []
    for number in range(5):
        clock.advance(1)
        waits.append(ledger.wait_begins(number))
    assert open_claims(ledger) == (claims, waits)


def test_holders_beyond_the_bound_become_other(clock: FakeClock) -> None:
    ledger = Ledger("orders", clock=clock, holder_limit=3)
    for number in range(100_000):
        hold(ledger, holder=f"GET /{number}")
        ledger.hold_ends("connection", Ending.CHECKIN)
        if number % 1000 == 0:
            ledger.settle()
    events = ledger.settle(tell=True).events
    assert {event.holder for event in events if isinstance(event, Hold)} == {OTHER}
    holders = totals_of(ledger).holders
    assert list(holders) == ["GET /0", "GET /1", "GET /2", OTHER]
    assert holders[OTHER].checkouts == holders[OTHER].returns[Ending.CHECKIN] == 99_997


def test_a_holder_named_late_is_named_when_it_is_counted(ledger: Ledger) -> None:
    class Route(DerivedHolder):
        known = "GET /unrouted"

        def name(self) -> str:
            return self.known

    route = Route(None, None)
    ledger.hold_begins(ledger.wait_begins(1, route), "connection", lambda: route)
    route.known = "GET /{id}"
    ledger.settle()
    route.known = "something else"
    ledger.hold_ends("connection", Ending.CHECKIN)
    ledger.settle()
    assert list(totals_of(ledger).holders) == ["GET /{id}"]


def test_a_holder_that_cannot_tell_its_name_is_unattributed(ledger: Ledger) -> None:
    class Route(DerivedHolder):
        def name(self) -> str:
            raise ZeroDivisionError

    ledger.hold_begins(ledger.wait_begins(1, Route(None, None)), "connection", lambda: ledger)
    ledger.settle()
    assert list(totals_of(ledger).holders) == [UNATTRIBUTED]
    assert ledger.failures.counts() == {"naming a holder": 1}


def test_what_there_is_no_room_for_is_dropped_and_counted(clock: FakeClock) -> None:
    woken: list[int] = []
    ledger = Ledger("orders", clock=clock, backlog=10)
    ledger.backlog_grows = lambda: woken.append(1)
    for _ in range(25):
        hold(ledger)
        ledger.hold_ends("connection", Ending.CHECKIN)
    assert woken == [1]
    ledger.settle()
    totals = totals_of(ledger)
    assert totals.dropped_events == 15
    assert totals.holders[UNATTRIBUTED].returns[Ending.CHECKIN] == 10


def test_what_ends_while_it_is_being_settled_is_in_one_place_only(clock: FakeClock) -> None:
    busy = Ledger("orders", clock=clock)

    class EndingMeanwhile(dict[Any, Claim]):
        def copy(self) -> dict[Any, Claim]:
            copied = dict(self)
            busy.hold_ends("connection", Ending.CHECKIN)
            return copied

    hold(busy)
    busy.holds = EndingMeanwhile(busy.holds)
    settled = busy.settle(freeze=True)
    assert settled.totals is not None
    totals = settled.totals.holders[UNATTRIBUTED]
    assert (totals.checkouts, totals.returns[Ending.CHECKIN], settled.holding) == (1, 1, [])


def test_connections_that_come_and_go_are_counted(ledger: Ledger) -> None:
    ledger.connection_changed(ConnectionOpened("orders"))
    ledger.connection_changed(ConnectionOpened("orders"))
    ledger.connection_changed(ConnectionClosed("orders"))
    assert len(ledger.settle(tell=True).events) == 3
    totals = totals_of(ledger)
    assert (totals.connections_opened, totals.connections_closed) == (2, 1)


def test_who_waits_while_the_ledger_closes_is_forgotten(ledger: Ledger) -> None:
    granted = ledger.wait_begins("one")
    refused = ledger.wait_begins("two")
    ledger.close()
    ledger.hold_begins(granted, "connection", lambda: ledger)
    ledger.wait_ends_empty_handed(refused, Outcome.TIMED_OUT)
    assert open_claims(ledger) == ([], [])
    assert ledger.settle(tell=True).events == []


def test_a_claim_between_waiting_and_holding_is_not_both(ledger: Ledger) -> None:
    claim = ledger.wait_begins("task")
    ledger.hold_begins(claim, "connection", lambda: ledger)
    ledger.waits["task"] = claim  # as in the instant before it leaves the waits
    assert open_claims(ledger) == ([claim], [])


def test_asking_for_totals_while_settling_does_not_settle_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A destructor that the garbage collector runs in the middle may do so.
    count: Any = ledger._count_open
    depth = []

    def count_and_ask(*arguments: Any) -> Any:
        depth.append(ledger.settle(tell=True).events)
        return count(*arguments)

    monkeypatch.setattr(ledger, "_count_open", count_and_ask)
    hold(ledger)
    assert len(ledger.settle(tell=True).events) == 1
    assert depth == [[]]
    assert totals_of(ledger).holders[UNATTRIBUTED].checkouts == 1


def test_a_reader_sees_each_change_of_activity_whole() -> None:
    """What a reader adds up never exceeds the hold, however it interleaves with the owner."""
    clock = FakeClock()
    ledger = Ledger("orders", clock=clock)
    claim = hold(ledger)
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        before = claim.split(0)
        while not stop.is_set():
            now = clock.now
            split = claim.split(now)
            if sum(split) < now or min(split) < 0:
                wrong.append(split)
            if split[0] < before[0] or split[1] < before[1]:
                wrong.append((before, split))
            before = split

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(20_000):
        clock.now += 7
        state = claim.executing_from(clock.now)
        clock.now += 11
        claim.executed(state, clock.now, IN_TRANSACTION)
        clock.now += 13
        state = claim.executing_from(clock.now)
        clock.now += 17
        claim.executed(state, clock.now, IDLE)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert claim.split(clock.now) == (28 * 20_000, 13 * 20_000, 7 * 20_000)


def test_a_fork_leaves_nothing_in_the_child(ledger: Ledger) -> None:
    hold(ledger)
    ledger.wait_begins("task")
    ledger.settle()
    ledger._lock.acquire()  # as another thread of the parent might
    ledger.reset_after_fork()
    assert open_claims(ledger) == ([], [])
    assert ledger.settle(tell=True).events == []
    assert totals_of(ledger).holders == {}


def test_what_is_open_now_is_told_once_and_the_longest_first() -> None:
    clock = FakeClock()
    ledger = Ledger("orders", clock=clock)
    early, late, changing = (ledger.wait_begins(name) for name in ("early", "late", "changing"))
    for claim, at in ((late, 2), (early, 1)):
        clock.now = at
        ledger.hold_begins(claim, at, lambda: ledger)
    clock.now = 3
    ledger.hold_begins(changing, 3, lambda: ledger)
    ledger.waits["changing"] = changing  # it holds already, and has not left those who wait
    first, second = (ledger.wait_begins(name) for name in ("first", "second"))
    second.asked_at, first.asked_at = 5, 4
    opened = ledger.open_now()
    assert opened.holding == [early, late, changing]
    assert opened.waiting == [first, second]
    assert (opened.now, opened.totals) == (3, None)
