"""The open waits and holds of one pool and its running totals: the source of truth.

The application's side is `OpenClaims`. This is the reader's side: it runs in the watchdog and
in whoever asks for a snapshot. It folds what has finished, and what still runs, into the
totals, under a lock that the application's side never touches.
"""

from __future__ import annotations

import threading
import time

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
    TraceContext,
    Wait,
)
from pool_observer.open_claims import ACQUIRED, BACKLOG, Churn, Clock, OpenClaims
from pool_observer.progress import NO_PHASES
from pool_observer.state import Nesting, PoolTotals
from pool_observer.totals import Tally, Totals
from pool_observer.tracing import reader_of_current_context, trace_in


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
        self.trace_context = reader_of_current_context()

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
                self.trace_context = reader_of_current_context()  # it may be imported by now
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
        # One claim that cannot be counted must not keep the others from it.
        for item in ended:
            try:
                if isinstance(item, Claim):
                    self._count(item, now, events)
                else:
                    self._count_churn(item, events)
            except Exception:
                self.failures.note("settling")
        for claim in still_open.values():
            try:
                self._count_open(claim, now, events)
            except Exception:
                self.failures.note("settling")

    def _count(self, claim: Claim, now: int, events: list[Event] | None) -> None:
        """Count a claim that is over."""
        try:
            tally = self._count_open(claim, now, events)
            if claim.ending is not None:
                tally.returns[claim.ending] += 1
                if events is not None:
                    events.append(self.hold(claim, now))
        finally:
            self.forget(claim)

    def _count_open(self, claim: Claim, now: int, events: list[Event] | None) -> Tally:
        """Add to the totals what they do not contain yet of this claim."""
        if claim.name is None:
            tally = self._count_wait(claim, now)
            if events is not None:
                events.append(self.wait(claim, now))
        else:
            tally = self._totals.of(claim.name)
        if claim.outcome is not ACQUIRED:
            return tally
        split = claim.split(now)
        tally.add_activity(split, claim.counted)
        claim.counted = split
        if claim.holder is not None:
            assert claim.granted_at is not None
            end = claim.granted_at + sum(split)
            phases = claim.phase_split(end)
            if phases is not None:
                tally.add_phases(phases, claim.counted_phases)
                claim.counted_phases = phases
                claim.counted_until = end
        return tally

    def _count_wait(self, claim: Claim, now: int) -> Tally:
        """Count a wait that is over. From now on its claim keeps the name it is counted under."""
        assert claim.outcome is not None
        tally = self._totals.of(self._name_of(claim))
        if claim.trace is not None:
            claim.trace = self._trace_of(claim)
        claim.counted = NOTHING
        claim.counted_phases = NO_PHASES
        claim.counted_until = claim.granted_at or 0
        claim.name = tally.holder
        tally.add_wait(claim.outcome, claim.wait_split(now))
        if claim.outer is not None:
            outer, inner = resolve(claim.outer.site), resolve(claim.site)
            self._totals.add_nesting(Nesting(tally.holder, outer, inner))
        return tally

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
        outer = claim.outer
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
            nested=outer is not None,
            nested_in=None if outer is None else resolve(outer.site),
            trace=self._trace_of(claim),
        )

    def hold(self, claim: Claim, now: int) -> Hold:
        assert claim.granted_at is not None
        executing, in_transaction, idle = claim.split(now)
        duration = executing + in_transaction + idle
        end = claim.granted_at + duration
        phases = claim.phase_split(end) or NO_PHASES
        handler, response, background, detached = phases
        holder = claim.holder
        expectation = None if holder is None else holder.expectation
        limit_ns = self._overdue_ns if expectation is None else expectation.limit_ns
        progress = None if holder is None else holder.progress
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
            overdue=duration > limit_ns,
            limit_seconds=limit_ns / NANOSECONDS,
            limit_reason=None if expectation is None else expectation.reason,
            phase=None if progress is None else progress.phase_at(end),
            handler_ns=handler,
            response_ns=response,
            background_ns=background,
            detached_ns=detached,
            trace=self._trace_of(claim),
        )

    def _name_of(self, claim: Claim) -> str:
        """The holder's name: as it was settled, or else as far as it is known by now."""
        if claim.name is not None:
            return claim.name
        if claim.holder is None:
            return UNATTRIBUTED
        try:
            return claim.holder.name()
        except Exception:
            self.failures.note("naming a holder")
            return UNATTRIBUTED

    def _trace_of(self, claim: Claim) -> TraceContext | None:
        if claim.trace is None or isinstance(claim.trace, TraceContext):
            return claim.trace
        try:
            return trace_in(claim.trace)
        except Exception:
            self.failures.note("reading a trace")
            return None

    def _unix_time(self, instant: int) -> float:
        return (self._epoch + instant) / NANOSECONDS

    # -- fork --------------------------------------------------------------------------------

    def reset_after_fork(self) -> None:
        """The child begins at zero, with a lock that nobody holds."""
        super().reset_after_fork()
        self._begin_counting()
