"""The open waits and holds of one pool and its running totals: the source of truth.

The application's side is `OpenClaims`. This is the reader's side: it runs in the watchdog and
in whoever asks for a snapshot. It folds what has finished, and what still runs, into the
totals, under a lock that the application's side never touches.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from pool_observer.call_site import resolve
from pool_observer.claim import NOTHING, Claim
from pool_observer.contention import Capacity
from pool_observer.failures import Failures
from pool_observer.histogram import Histogram
from pool_observer.holder import Holder
from pool_observer.model import (
    NANOSECONDS,
    UNATTRIBUTED,
    ConnectionClosed,
    ConnectionOpened,
    Ending,
    Event,
    Hold,
    Outcome,
    TraceContext,
    Wait,
)
from pool_observer.open_claims import ACQUIRED, BACKLOG, Churn, Clock, OpenClaims
from pool_observer.progress import NO_PHASES
from pool_observer.state import Nesting, PoolTotals
from pool_observer.totals import Tally, Totals
from pool_observer.tracing import reader_of_current_context, trace_in


@dataclass(slots=True)
class Settled:
    """A pool at the instant at which its totals were brought up to date."""

    now: int
    holding: list[Claim] = field(default_factory=list)
    """Who held a connection then, the longest held first."""
    waiting: list[Claim] = field(default_factory=list)
    """Who waited for one then, the longest waiting first."""
    events: list[Event] = field(default_factory=list)
    """What had ended since the last time, if that was asked."""
    totals: PoolTotals | None = None
    """The totals, if they were asked for."""


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
        now = self.clock()
        self._totals = Totals(self._holder_limit, now)
        # Reentrant, because a destructor that the garbage collector runs while we hold it
        # may ask for a snapshot.
        self._lock = threading.RLock()
        self._settling = False
        self._last = Settled(now)
        self._epoch = self._wall_clock() - now
        self.trace_context = reader_of_current_context()

    def settle(
        self, capacity: Capacity | None = None, *, tell: bool = False, freeze: bool = False
    ) -> Settled:
        """Bring the totals up to this instant.

        With `tell`, say what has ended since the last time; with `freeze`, what the totals are.

        A claim that ends at this very moment, already out of the open holds and not yet
        among the finished, is counted by the next call. No total ever goes back.
        """
        with self._lock:
            if self._settling:
                return self._last
            self._settling = True
            try:
                self.trace_context = reader_of_current_context()  # it may be imported by now
                now = self.clock()
                self._epoch = self._wall_clock() - now  # again each time: clocks are adjusted
                settled = self._settle(now, [] if tell else None, capacity)
                if freeze:
                    settled.totals = self._totals.frozen(self.dropped, self.failures.counts())
                self._last = Settled(now, settled.holding, settled.waiting)
            finally:
                self._settling = False
        return settled

    def _settle(self, now: int, events: list[Event] | None, capacity: Capacity | None) -> Settled:
        # Waits first, because a claim leaves them just after it has entered the holds; what
        # has ended last. So none is missed, and one that is seen twice is where it has come to.
        waits = self.waits.copy().values()
        holds = self.holds.copy().values()
        finished = self.finished
        ended = [finished.popleft() for _ in range(len(finished))]
        over: set[object] = set(ended)
        holding = [claim for claim in holds if claim not in over]
        over.update(holding)
        waiting = [claim for claim in waits if claim not in over]
        claims = []
        # One claim that cannot be counted must not keep the others from it.
        for item in ended:
            try:
                if isinstance(item, Claim):
                    claims.append(item)
                    self._count(item, now, events)
                else:
                    self._count_churn(item, events)
            except Exception:
                self.failures.note("settling")
        for claim in holding:
            try:
                self._count_open(claim, now, events)
            except Exception:
                self.failures.note("settling")
        try:
            for claim in waiting:
                self._totals.of(self._name_of(claim))  # its series begin before its first figure
            claims += holding
            claims += waiting
            self._totals.add_blame(self._totals.contention.look(claims, now, capacity))
        except Exception:
            self.failures.note("settling")
        holding.sort(key=_granted_at)
        waiting.sort(key=_asked_at)
        return Settled(now, holding, waiting, events or [])

    def _count(self, claim: Claim, now: int, events: list[Event] | None) -> None:
        """Count a claim that is over."""
        try:
            tally = self._count_open(claim, now, events)
            if claim.ending is not None:
                tally.add_return(claim.ending)
                executing, in_transaction, idle = claim.counted
                duration = executing + in_transaction + idle
                bucket = tally.use_time.add(duration)
                if claim.trace is not None:
                    self._exemplify(tally.use_time, bucket, duration, claim)
                if events is not None:
                    events.append(self.hold(claim, now, claim.ending))
        finally:
            self.forget(claim)

    def _count_open(self, claim: Claim, now: int, events: list[Event] | None) -> Tally:
        """Add to the totals what they do not contain yet of this claim."""
        if claim.name is None:
            tally = self._count_wait(claim, now)
            if events is not None:
                events.append(self.wait(claim, now, claim.outcome))
        else:
            tally = self._totals.of(claim.name)
        if claim.outcome is not ACQUIRED:
            return tally
        split = claim.split(now)
        tally.add_activity(split, claim.counted)
        claim.counted = split
        duration = split[0] + split[1] + split[2]
        holder = claim.holder
        if not claim.overdue and duration > self._limit_ns(holder):
            claim.overdue = True
            tally.overdue += 1
        if holder is not None:
            assert claim.granted_at is not None
            end = claim.granted_at + duration
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
        claim.overdue = False
        claim.name = tally.holder
        split = claim.wait_split(now)
        tally.add_wait(claim.outcome, split)
        duration = split[0] + split[1] + split[2]
        bucket = tally.wait_time.add(duration)
        if claim.trace is not None:
            self._exemplify(tally.wait_time, bucket, duration, claim)
        if claim.outer is not None:
            outer, inner = resolve(claim.outer.site), resolve(claim.site)
            self._totals.add_nesting(Nesting(tally.holder, outer, inner))
        return tally

    def _exemplify(self, histogram: Histogram, bucket: int, duration: int, claim: Claim) -> None:
        """Have the histogram remember the trace, if there is something to look up."""
        trace = claim.trace
        if isinstance(trace, TraceContext) and trace.sampled:
            end = claim.granted_at if claim.ended_at is None else claim.ended_at
            histogram.exemplify(bucket, trace, duration, self._unix_time(end or 0))

    def _count_churn(self, event: Churn, events: list[Event] | None) -> None:
        if events is not None:
            events.append(event)
        if isinstance(event, ConnectionOpened):
            self._totals.connections["opened"] += 1
            if event.create_ns is not None:
                self._totals.create_time.add(event.create_ns)
        elif isinstance(event, ConnectionClosed):
            self._totals.connections["closed"] += 1
        else:
            self._totals.connections["invalidated"] += 1

    # -- values ------------------------------------------------------------------------------

    def wait(self, claim: Claim, now: int, outcome: Outcome | None = None) -> Wait:
        """A wait as it is now; with the outcome, if that is counted."""
        queue, connect, ping = claim.wait_split(now)
        outer = claim.outer
        return Wait(
            pool=self.pool,
            holder=self._name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.asked_at),
            outcome=outcome,
            stage=claim.stage,
            queue_ns=queue,
            connect_ns=connect,
            ping_ns=ping,
            nested=outer is not None,
            nested_in=None if outer is None else resolve(outer.site),
            trace=self._trace_of(claim),
        )

    def hold(self, claim: Claim, now: int, ending: Ending | None = None) -> Hold:
        """A hold as it is now; with its ending, if that is counted."""
        assert claim.granted_at is not None
        executing, in_transaction, idle = claim.split(now)
        duration = executing + in_transaction + idle
        end = claim.granted_at + duration
        phases = claim.phase_split(end) or NO_PHASES
        handler, response, background, detached = phases
        holder = claim.holder
        expectation = None if holder is None else holder.expectation
        limit_ns = self._limit_ns(holder)
        progress = None if holder is None else holder.progress
        return Hold(
            pool=self.pool,
            holder=self._name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.granted_at),
            ending=ending,
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

    def _limit_ns(self, holder: Holder | None) -> float:
        """How long what is held on its behalf may be out."""
        expectation = None if holder is None else holder.expectation
        return self._overdue_ns if expectation is None else expectation.limit_ns

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

    def close(self) -> None:
        """Forget what is open: its end will not be seen any more."""
        super().close()
        self._last = Settled(self.clock())

    # -- fork --------------------------------------------------------------------------------

    def reset_after_fork(self) -> None:
        """The child begins at zero, with a lock that nobody holds."""
        super().reset_after_fork()
        self._begin_counting()


def _granted_at(claim: Claim) -> int:
    return claim.granted_at or 0


def _asked_at(claim: Claim) -> int:
    return claim.asked_at
