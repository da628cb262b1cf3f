"""However often a ledger is settled, it comes to the same."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pool_observer.claim import IDLE, IN_TRANSACTION, Claim
from pool_observer.contention import Capacity
from pool_observer.holder import DerivedHolder, Expectation, Holder
from pool_observer.ledger import Ledger
from pool_observer.model import Ending, Outcome
from pool_observer.progress import RequestProgress
from pool_observer.state import PoolTotals
from tests.support import FakeClock, named

CALLERS = 4
WAITING = ("connect", "ping", "get", "get", "get", "give up")
HOLDING = ("work", "commit", "answer", "return", "return", "detach")
steps = st.lists(
    st.tuples(st.integers(0, CALLERS - 1), st.integers(0, 5), st.integers(0, 9), st.booleans()),
    max_size=40,
)


class Pool:
    """Something to be referred to weakly."""


class Request(DerivedHolder):
    """A request that may hold for 5 ns only."""

    def __init__(self) -> None:
        super().__init__(None, None, name="GET /", expectation=Expectation(5, "a test"))
        self.progress = RequestProgress()


class Run:
    """One ledger, and the callers that do as the script says."""

    def __init__(self) -> None:
        self.clock = FakeClock(1000)
        self.ledger = Ledger("orders", clock=self.clock, wall_clock=lambda: 0, overdue_after=8e-9)
        self.pool = Pool()
        self.capacity = Capacity(2, weakref.ref(self.pool))
        self.holders: list[Holder | None] = [None, named("job"), Request(), Request()]
        self.claims: dict[int, Claim] = {}

    def step(self, caller: int, choice: int) -> None:
        """Let the caller do one of the things that it can do now."""
        claim = self.claims.get(caller)
        if claim is None:
            self.claims[caller] = self.ledger.wait_begins(
                caller, self.holders[caller], None, caller
            )
        elif claim.granted_at is None:
            self.wait(caller, claim, WAITING[choice])
        else:
            self.hold(caller, claim, HOLDING[choice])

    def wait(self, caller: int, claim: Claim, act: str) -> None:
        if act == "connect":
            claim.connecting_at = claim.connecting_at or self.clock.now
        elif act == "ping":
            claim.pinging_at = claim.pinging_at or self.clock.now
        elif act == "get":
            reference = weakref.ref(self.pool)
            self.ledger.hold_begins(claim, caller, reference, reference)
        else:
            self.ledger.wait_ends_empty_handed(claim, Outcome.TIMED_OUT)
            del self.claims[caller]

    def hold(self, caller: int, claim: Claim, act: str) -> None:
        progress = None if claim.holder is None else claim.holder.progress
        if act in ("work", "commit"):
            before = claim.executing_from(self.clock.now)
            self.clock.now += 1
            claim.executed(before, self.clock.now, IN_TRANSACTION if act == "work" else IDLE)
        elif act == "answer" and progress is not None:
            progress.response_at = progress.response_at or self.clock.now
        elif act != "answer":
            self.ledger.hold_ends(caller, Ending.CHECKIN if act == "return" else Ending.DETACHED)
            del self.claims[caller]

    def totals(self) -> Any:
        totals = self.ledger.settle(self.capacity, freeze=True).totals
        assert totals is not None
        assert totals.internal_errors == {}
        return comparable(totals)


def comparable(totals: PoolTotals) -> Any:
    """Blame is shared with rounding; and who only waits is known to who has looked meanwhile."""
    return {
        holder: (replace(of, blamed_seconds=0), round(of.blamed_seconds, 12))
        for holder, of in totals.holders.items()
    }, (totals.full_ns, totals.full_times)


@given(steps)
def test_it_comes_to_the_same(script: list[tuple[int, int, int, bool]]) -> None:
    seldom, now_and_then, telling = Run(), Run(), Run()
    for caller, choice, pause, settles in script:
        for run in (seldom, now_and_then, telling):
            run.step(caller, choice)
            run.clock.now += pause
        if settles:
            now_and_then.ledger.settle(now_and_then.capacity)
            telling.ledger.settle(telling.capacity, tell=True)
    expected = now_and_then.totals()
    assert seldom.totals() == expected
    assert telling.totals() == expected
