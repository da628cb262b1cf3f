"""Phases in the ledger: whatever is noted when, they add up and never go back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool_observer import Ending, Hold, Phase
from pool_observer.holder import DerivedHolder
from pool_observer.ledger import Ledger
from pool_observer.progress import RequestProgress
from tests.support import FakeClock, totals_of

BEGIN = 1000
MARKS = ("response_at", "background_at", "detached_at")


class RequestHolder(DerivedHolder):
    """A holder in a request whose progress is the test's."""

    def __init__(self, progress: RequestProgress) -> None:
        super().__init__(None, None, name="GET /")
        self.progress = progress


steps = st.lists(
    st.tuples(st.sampled_from(["settle", "snapshot", "next phase"]), st.integers(0, 10)),
    max_size=12,
)


@given(steps)
def test_phases_add_up_to_the_hold_and_never_go_back(schedule: list[tuple[str, int]]) -> None:
    clock = FakeClock(BEGIN)
    ledger = Ledger("orders", clock=clock, wall_clock=lambda: 0)
    progress = RequestProgress()
    claim = ledger.wait_begins(1, RequestHolder(progress))
    ledger.hold_begins(claim, "connection", lambda: clock)
    expected = [0, 0, 0, 0]
    passed = 0
    for step, pause in schedule:
        expected[passed] += pause
        clock.now += pause
        if step == "next phase" and passed < len(MARKS):
            setattr(progress, MARKS[passed], clock.now)
            passed += 1
        elif step == "settle":
            ledger.settle()
            assert list(totals_of(ledger).holders["GET /"].phase_ns.values()) == expected
        else:
            hold = ledger.hold(claim, clock.now)
            assert list(hold.phase_ns.values()) == expected
            assert hold.phase is list(Phase)[passed]
    ledger.hold_ends("connection", Ending.CHECKIN)
    *_, event = ledger.settle(tell=True).events
    assert isinstance(event, Hold)
    assert list(event.phase_ns.values()) == expected
    assert sum(expected) == event.duration_ns == clock.now - BEGIN


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=8))
def test_a_phase_that_is_noted_late_takes_nothing_back(pauses: list[tuple[int, int]]) -> None:
    # The request's thread reads the clock, and writes it down only after we have settled.
    clock = FakeClock(BEGIN)
    ledger = Ledger("orders", clock=clock, wall_clock=lambda: 0)
    progress = RequestProgress()
    claim = ledger.wait_begins(1, RequestHolder(progress))
    ledger.hold_begins(claim, "connection", lambda: clock)
    before: tuple[int, ...] = (0, 0, 0, 0)
    for (pause, late), mark in zip(pauses, MARKS, strict=False):
        clock.now += pause
        read = clock.now
        clock.now += late
        ledger.settle()
        setattr(progress, mark, read)
        ledger.settle()
        now = tuple(totals_of(ledger).holders["GET /"].phase_ns.values())
        assert all(after >= earlier for after, earlier in zip(now, before, strict=True))
        assert sum(now) == clock.now - BEGIN
        before = now
