"""The open waits and holds of one pool and its running totals: the source of truth.

The application's side is `OpenClaims`. This is the reader's side: it runs in the watchdog and
in whoever asks for a snapshot. It folds what has finished, and what still runs, into the
totals, under a lock that the application's side never touches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pool_observer.call_site import resolve
from pool_observer.claim import NOTHING, Claim
from pool_observer.failures import Failures
from pool_observer.model import (
    NANOSECONDS,
    UNATTRIBUTED,
    ConnectionClosed,
    ConnectionOpened,
    Event,
    Hold,
    PoolTotals,
    Wait,
)
from pool_observer.open_claims import ACQUIRED, BACKLOG, Churn, Clock, OpenClaims
from pool_observer.totals import Totals


class Ledger(OpenClaims):
    """Knows of one pool, exactly, what is open now and what has been."""

    def __init__(
        self,
        pool: str,
        *,
        clock: Clock = time.perf_counter_ns,
        wall_clock: Clock = time.time_ns,
        holder_limit: int = 200,
        overdue_after: float = 30.0,
        backlog: int = BACKLOG,
        failures: Failures | None = None,
    ) -> None:
        super().__init__(pool, clock=clock, backlog=backlog, failures=failures)
        self._wall_clock = wall_clock
        self._holder_limit = holder_limit
        self._overdue_ns = overdue_after * NANOSECONDS
        self._begin_counting()

    def _begin_counting(self) -> None:
        self._totals = Totals(self._holder_limit)
        # Reentrant, because a destructor that the garbage collector runs while we hold it
        # may ask for a snapshot.
        self._lock = threading.RLock()
        self._settling = False
        self._epoch = self._wall_clock() - self.clock()

    def settle(self, *, tell: bool = False) -> list[Event]:
        """Bring the totals up to this instant; with `tell`, also return what has ended.

        A claim that ends at this very moment, already out of the open holds and not yet
        among the finished, is counted by the next call. No total ever goes back.
        """
        events: list[Event] = []
        with self._lock:
            if self._settling:
                return events
            self._settling = True
            try:
                now = self.clock()
                self._epoch = self._wall_clock() - now  # again each time: clocks are adjusted
                self._settle(now, events if tell else None)
            finally:
                self._settling = False
        return events

    def _settle(self, now: int, events: list[Event] | None) -> None:
        # What has ended is taken first: a claim that ends from here on is still counted as
        # open, and its end the next time, so no end is counted twice.
        finished = self.finished
        ended = [finished.popleft() for _ in range(len(finished))]
        still_open = self.holds.copy()
        for item in ended:
            if isinstance(item, Claim):
                self._guarded(self._count, item, now, events, True)
            else:
                self._guarded(self._count_churn, item, events)
        for claim in still_open.values():
            self._guarded(self._count, claim, now, events, False)

    def _guarded(self, step: Callable[..., None], *arguments: Any) -> None:
        """One claim that cannot be counted must not keep the others from it."""
        try:
            step(*arguments)
        except Exception:
            self.failures.note("settling")

    def _count(self, claim: Claim, now: int, events: list[Event] | None, over: bool) -> None:
        """Add to the totals what they do not contain yet of this claim."""
        before = claim.settled
        outcome = claim.outcome
        assert outcome is not None
        tally = self._totals.of(self._name_of(claim))
        if before is None:
            before = NOTHING
            claim.settled = NOTHING
            claim.holder = tally.holder  # a claim keeps the name it is first counted under
            tally.add_wait(outcome, claim.wait_split(now))
            if events is not None:
                events.append(self.wait(claim, now))
        if outcome is not ACQUIRED:
            return
        split = claim.split(now)
        tally.add_activity(split, before)
        claim.settled = split
        if over:
            assert claim.ending is not None
            tally.returns[claim.ending] += 1
            if events is not None:
                events.append(self.hold(claim, now))

    def _count_churn(self, event: Churn, events: list[Event] | None) -> None:
        if events is not None:
            events.append(event)
        kind = type(event)
        if kind is ConnectionOpened:
            self._totals.connections["opened"] += 1
        elif kind is ConnectionClosed:
            self._totals.connections["closed"] += 1
        else:
            self._totals.connections["invalidated"] += 1

    def totals(self) -> PoolTotals:
        """The totals as of the last settling, frozen."""
        with self._lock:
            return self._totals.frozen(self.dropped, self.failures.counts())

    # -- values ------------------------------------------------------------------------------

    def wait(self, claim: Claim, now: int) -> Wait:
        queue, connect, ping = claim.wait_split(now)
        return Wait(
            pool=self.pool,
            holder=self._name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.asked_at),
            outcome=claim.outcome,
            stage=claim.stage,
            queue_ns=queue,
            connect_ns=connect,
            ping_ns=ping,
        )

    def hold(self, claim: Claim, now: int) -> Hold:
        assert claim.granted_at is not None
        executing, in_transaction, idle = claim.split(now)
        return Hold(
            pool=self.pool,
            holder=self._name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.granted_at),
            ending=claim.ending,
            activity=claim.activity[0],
            executing_ns=executing,
            in_transaction_ns=in_transaction,
            idle_ns=idle,
            waited_ns=claim.granted_at - claim.asked_at,
            backend_pid=claim.backend_pid,
            overdue=executing + in_transaction + idle > self._overdue_ns,
        )

    def _name_of(self, claim: Claim) -> str:
        """The holder's name as far as it is known by now."""
        holder = claim.holder
        if holder is None:
            return UNATTRIBUTED
        if isinstance(holder, str):
            return holder
        try:
            return holder.name()
        except Exception:
            self.failures.note("naming a holder")
            return UNATTRIBUTED

    def _unix_time(self, instant: int) -> float:
        return (self._epoch + instant) / NANOSECONDS

    # -- fork --------------------------------------------------------------------------------

    def reset_after_fork(self) -> None:
        """The child begins at zero, with a lock that nobody holds."""
        super().reset_after_fork()
        self._begin_counting()
