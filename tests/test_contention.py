"""What was wanted at once, how long the pool was full, and who made others queue: exactly."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_observer.claim import Claim
from pool_observer.contention import PEAK_WINDOW_NS, Blame, Capacity, Contention, Peak
from pool_observer.ledger import Ledger
from pool_observer.model import Ending, Outcome
from tests.support import FakeClock, named, totals_of


class Pool:
    """Something that can be referred to weakly."""


POOL = Pool()
HERE = weakref.ref(POOL)


def claim(asked_at: int, granted_at: int | None, ended_at: int | None) -> Claim:
    """A claim that waited in the queue and then held, or gave up."""
    made = Claim(None, None, asked_at)
    made.granted_at = granted_at
    made.ended_at = ended_at
    made.pool = HERE
    return made


def look(
    claims: list[Claim], limit: int, *, until: int = 100, unseen: int = 0
) -> tuple[Contention, Blame]:
    contention = Contention(0)
    return contention, contention.look(claims, until, Capacity(limit, HERE, unseen))


def test_a_pool_is_full_while_all_its_connections_are_held() -> None:
    contention, blame = look([claim(10, 10, 50), claim(20, 20, 60), claim(70, 70, None)], 2)
    assert (contention.full_ns, contention.full_times) == (30, 1)
    assert blame == {}


def test_each_time_that_it_becomes_full_is_counted() -> None:
    contention, _ = look([claim(10, 10, 20), claim(30, 30, 40), claim(50, 50, None)], 1)
    assert (contention.full_ns, contention.full_times) == (10 + 10 + 50, 3)


def test_handing_a_connection_on_to_the_queue_leaves_it_full() -> None:
    contention, _ = look([claim(10, 10, 30), claim(20, 32, 50)], 1)
    assert (contention.full_ns, contention.full_times) == (40, 1)


def test_a_queue_is_blamed_on_who_holds() -> None:
    chat, report, crud = claim(0, 0, 60), claim(0, 0, 100), claim(20, 60, 100)
    _, blame = look([chat, report, crud], 2)
    assert blame == {chat: 20, report: 20}  # of the 40 for which crud queued


def test_two_in_the_queue_are_twice_the_blame() -> None:
    culprit = claim(0, 0, 90)
    _, blame = look([culprit, claim(10, None, None), claim(20, None, 50)], 1, until=90)
    assert blame == {culprit: 80 + 30}


def test_who_has_to_wait_for_a_connection_to_be_opened_blames_nobody() -> None:
    opening = claim(20, 60, 100)
    opening.connecting_at = 21
    _, blame = look([claim(0, 0, 100), opening], 2)
    assert blame == {}


def test_who_was_slow_to_get_a_free_connection_was_kept_waiting_by_nobody() -> None:
    first, slow, second = claim(0, 0, None), claim(10, 15, 50), claim(60, 60, None)
    _, blame = look([first, slow, second, claim(90, None, None)], 2)
    assert blame == {first: 5, second: 5}


def test_blame_and_full_time_go_on_from_look_to_look() -> None:
    culprit, victim = claim(0, 0, None), claim(10, None, None)
    contention = Contention(0)
    capacity = Capacity(1, HERE)
    assert contention.look([culprit, victim], 30, capacity) == {culprit: 20}
    assert contention.look([culprit, victim], 35, capacity) == {culprit: 5}
    culprit.ended_at = 40
    victim.granted_at, victim.ended_at = 41, 50
    assert contention.look([culprit, victim], 60, capacity) == {culprit: 5}
    assert (contention.full_ns, contention.full_times) == (50, 1)


def test_a_look_at_the_same_instant_changes_nothing() -> None:
    contention = Contention(0)
    capacity = Capacity(1, HERE)
    held = claim(0, 0, None)
    for now in (10, 10, 20):
        contention.look([held], now, capacity)
    assert (contention.full_ns, contention.full_times) == (20, 1)


def test_what_ends_after_the_look_is_still_there_at_the_next() -> None:
    # It is among what has ended, but had not when the clock was read.
    contention = Contention(0)
    capacity = Capacity(1, HERE)
    contention.look([claim(0, 0, 50)], 40, capacity)
    contention.look([], 60, capacity)
    assert (contention.full_ns, contention.full_times) == (50, 1)


def test_what_is_on_its_way_from_open_to_ended_is_not_missed() -> None:
    contention = Contention(0)
    capacity = Capacity(1, HERE)
    held = claim(0, 0, None)
    contention.look([held], 10, capacity)
    contention.look([], 20, capacity)  # neither among those that are open nor those that ended
    held.ended_at = 15
    contention.look([held], 30, capacity)
    assert (contention.full_ns, contention.full_times) == (20, 1)


class Overtaken(Claim):
    """Its owner has read the clock, and writes down what it said a good deal later."""

    __slots__ = ("_late", "reads_left")

    reads_left: int

    @property
    def ended_at(self) -> int | None:
        self.reads_left -= 1
        return self._late if self.reads_left < 0 else None

    @ended_at.setter
    def ended_at(self, instant: int | None) -> None:
        self._late = instant


@pytest.mark.parametrize("reads_left", range(8))
def test_what_is_written_down_as_ended_after_two_looks_was_over_before_the_second(
    reads_left: int,
) -> None:
    overtaken = Overtaken(None, None, 0)
    overtaken.pool, overtaken.granted_at, overtaken.ended_at = HERE, 0, 25
    overtaken.reads_left = 100
    victim = claim(0, None, None)
    contention = Contention(0)
    capacity = Capacity(1, HERE)
    assert contention.look([overtaken, victim], 20, capacity) == {overtaken: 20}
    assert contention.look([victim], 30, capacity) == {overtaken: 10}
    overtaken.reads_left = reads_left
    # Whether it is seen to have ended by now or not: nothing is taken back, nothing fails.
    assert contention.look([victim], 40, capacity) == ({overtaken: 10} if reads_left else {})


def test_holds_of_a_pool_that_was_replaced_do_not_fill_the_new_one() -> None:
    before = claim(0, 0, None)
    other = Pool()
    before.pool = weakref.ref(other)
    contention, _ = look([before, claim(0, 0, 50)], 2)
    assert contention.full_ns == 0


def test_connections_that_nobody_saw_leave_fill_it_as_well() -> None:
    culprit, victim = claim(0, 0, None), claim(50, None, None)
    contention, blame = look([culprit, victim], 3, unseen=2)
    assert contention.full_ns == 100
    assert blame == {culprit: pytest.approx(50 / 3), None: pytest.approx(100 / 3)}


def test_a_pool_that_others_have_emptied_before_is_full() -> None:
    contention, blame = look([claim(50, None, None)], 2, unseen=2)
    assert (contention.full_ns, contention.full_times) == (100, 1)
    assert blame == {None: 50}


def test_a_pool_without_a_limit_is_never_full() -> None:
    contention = Contention(0)
    assert contention.look([claim(0, 0, None)] * 100, 100, None) == {}
    assert contention.full_ns == 0


@pytest.mark.parametrize(
    ("claims", "most"),
    [
        pytest.param([], 0, id="nobody"),
        pytest.param([claim(10, 10, 20), claim(30, 30, 40)], 1, id="one_after_the_other"),
        pytest.param([claim(10, 10, 20), claim(20, 20, 40)], 1, id="handed_on"),
        pytest.param([claim(10, 10, 21), claim(20, 21, 40)], 2, id="handed_on_to_who_queues"),
        pytest.param([claim(10, 10, None), claim(20, None, 30)], 2, id="who_gives_up_counts"),
        pytest.param([claim(100, 100, None)], 0, id="who_comes_after_the_look"),
        pytest.param([claim(90, 90, 100), claim(99, None, None)], 2, id="until_the_look"),
    ],
)
@pytest.mark.parametrize("limit", [1, 50])
def test_the_peak_is_the_most_that_were_there_at_once(
    claims: list[Claim], most: int, limit: int
) -> None:
    contention, _ = look(claims, limit)
    assert contention.demand.at(100) == most


def test_a_pool_without_a_limit_has_a_peak_as_well() -> None:
    contention = Contention(0)
    contention.look([claim(0, 0, None)] * 3 + [claim(5, 5, 6)], 100, None)
    assert contention.demand.at(100) == 4


def test_what_nobody_saw_leave_is_in_the_peak_and_a_replaced_pool_is_not() -> None:
    before = claim(0, 0, None)
    before.pool = weakref.ref(Pool())
    contention, _ = look([before, claim(0, 0, None)], 10, unseen=3)
    assert contention.demand.at(100) == 1 + 3


def test_a_peak_is_told_for_a_minute() -> None:
    peak = Peak()
    assert peak.at(0) == 0
    peak.add(10, 7)
    peak.add(20, 3)
    peak.add(30, 5)
    assert peak.at(30) == 7
    assert peak.at(10 + PEAK_WINDOW_NS - 1) == 7
    assert peak.at(10 + PEAK_WINDOW_NS) == 5
    assert peak.at(30 + PEAK_WINDOW_NS) == 0


def test_no_more_is_kept_than_a_later_peak_could_be() -> None:
    peak = Peak()
    for until in range(1000):
        peak.add(until, until % 10)
    assert len(peak._falling) == 1  # the last was the highest there is
    for until in range(1000, 2000):
        peak.add(until, 5)
    assert len(peak._falling) == 2
    peak.add(2000 + PEAK_WINDOW_NS, 1)
    assert len(peak._falling) == 1


def test_a_child_process_has_a_peak_of_its_own() -> None:
    clock = FakeClock()
    ledger = Ledger("orders", clock=clock, wall_clock=FakeClock())
    ledger.hold_begins(ledger.wait_begins("a", named("GET /")), "connection", HERE, HERE)
    clock.advance(1)
    ledger.settle()
    assert ledger.peak_demand(clock.now) == 1
    ledger.reset_after_fork()
    assert ledger.peak_demand(clock.now) == 0


@dataclass
class Visit:
    """One caller of a simulated pool: when it comes, and how long it holds or waits at most."""

    comes: int
    holds: int
    patience: int


visits = st.lists(
    st.builds(
        Visit,
        comes=st.integers(0, 30),
        holds=st.integers(1, 15),
        patience=st.integers(1, 20),
    ),
    max_size=12,
)


@given(visits=visits, limit=st.integers(1, 4), looks=st.lists(st.integers(1, 59), max_size=4))
def test_it_is_what_counting_tick_by_tick_comes_to(
    visits: list[Visit], limit: int, looks: list[int]
) -> None:
    """A pool is simulated second by second and counted as one would by hand."""
    claims = [(visit, Claim(None, None, visit.comes)) for visit in visits]
    queue: list[tuple[Visit, Claim]] = []
    holding: list[tuple[Visit, Claim]] = []
    contention = Contention(0)
    capacity = Capacity(limit, HERE)
    full_ns = full_times = most = 0
    was_full = False
    expected: dict[Claim, float] = {}
    found: dict[Claim | None, float] = {}
    ended: list[Claim] = []

    def look_now(now: int) -> None:
        open_now = [made for _, made in (*queue, *holding)]
        for made, blamed in contention.look([*ended, *open_now], now, capacity).items():
            found[made] = found.get(made, 0) + blamed
        ended.clear()

    for now in range(60):
        for visit, made in holding.copy():
            assert made.granted_at is not None
            if made.granted_at + visit.holds == now:
                made.ended_at, made.ending = now, Ending.CHECKIN
                holding.remove((visit, made))
                ended.append(made)
        queue += [(visit, made) for visit, made in claims if visit.comes == now]
        while queue and len(holding) < limit:
            visit, made = queue.pop(0)
            made.granted_at, made.outcome, made.pool = now, Outcome.ACQUIRED, HERE
            holding.append((visit, made))
        for visit, made in queue.copy():
            if visit.comes + visit.patience == now:
                made.ended_at, made.outcome = now, Outcome.TIMED_OUT
                queue.remove((visit, made))
                ended.append(made)
        if now in looks:
            look_now(now)
        # What follows is true until the next tick.
        is_full = len(holding) == limit
        full_ns += is_full
        full_times += is_full and not was_full
        was_full = is_full
        most = max(most, len(holding) + len(queue))
        for _, made in holding:
            expected[made] = expected.get(made, 0) + len(queue) / len(holding)
    look_now(60)

    assert (contention.full_ns, contention.full_times) == (full_ns, full_times)
    assert contention.demand.at(60) == most
    assert found == pytest.approx({made: ns for made, ns in expected.items() if ns})


def test_the_ledger_adds_it_to_the_holders() -> None:
    clock = FakeClock()
    ledger = Ledger("orders", clock=clock, wall_clock=FakeClock())
    capacity = Capacity(1, HERE)
    culprit = ledger.wait_begins("a", named("POST /chat"))
    ledger.hold_begins(culprit, "connection", HERE, HERE)
    clock.advance(1)
    ledger.wait_begins("b", named("GET /health"))
    clock.advance(2)
    ledger.settle(capacity)
    totals = totals_of(ledger)
    assert totals.holders["POST /chat"].blamed_seconds == 2.0
    assert totals.holders["GET /health"].blamed_seconds == 0.0
    assert (totals.full_ns, totals.full_times) == (3_000_000_000, 1)


def test_what_it_cannot_work_out_does_not_keep_the_rest_from_being_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Blame:
        raise ZeroDivisionError

    monkeypatch.setattr(Contention, "look", fail)
    ledger = Ledger("orders", clock=FakeClock(), wall_clock=FakeClock())
    ledger.hold_begins(ledger.wait_begins("a", named("GET /")), "connection", HERE, HERE)
    assert totals_of(ledger).holders["GET /"].checkouts == 1
    assert ledger.failures.counts() == {"settling": 1}
