"""Claims as the frozen values that everybody else is given."""

from __future__ import annotations

from pool_observer.call_site import resolve
from pool_observer.claim import Claim
from pool_observer.failures import Failures
from pool_observer.holder import Holder
from pool_observer.model import (
    NANOSECONDS,
    UNATTRIBUTED,
    Ending,
    Hold,
    Outcome,
    TraceContext,
    Wait,
)
from pool_observer.open_claims import Clock, OpenClaims
from pool_observer.progress import NO_PHASES
from pool_observer.tracing import trace_in


class Describing(OpenClaims):
    """Open claims that can say what they are: for whom, since when, how much of what."""

    def __init__(
        self,
        pool: str,
        *,
        clock: Clock,
        wall_clock: Clock,
        overdue_after: float,
        backlog: int,
        failures: Failures | None,
    ) -> None:
        super().__init__(pool, clock=clock, backlog=backlog, failures=failures)
        self._wall_clock = wall_clock
        self._overdue_ns = overdue_after * NANOSECONDS
        self.set_clocks(clock())

    def set_clocks(self, now: int) -> None:
        """Compare the clocks, every now and then: the one on the wall is adjusted."""
        self._epoch = self._wall_clock() - now

    def wait(self, claim: Claim, now: int, outcome: Outcome | None = None) -> Wait:
        """A wait as it is now; with the outcome, if that is counted."""
        queue, connect, ping = claim.wait_split(now)
        outer = claim.outer
        return Wait(
            pool=self.pool,
            holder=self.name_of(claim),
            call_site=resolve(claim.site),
            began_at=self.unix_time(claim.asked_at),
            outcome=outcome,
            stage=claim.stage,
            queue_ns=queue,
            connect_ns=connect,
            ping_ns=ping,
            nested=outer is not None,
            nested_in=None if outer is None else resolve(outer.site),
            trace=self.trace_of(claim),
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
        limit_ns = self.limit_ns(holder)
        progress = None if holder is None else holder.progress
        return Hold(
            pool=self.pool,
            holder=self.name_of(claim),
            call_site=resolve(claim.site),
            began_at=self.unix_time(claim.granted_at),
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
            trace=self.trace_of(claim),
        )

    def limit_ns(self, holder: Holder | None) -> float:
        """How long what is held on its behalf may be out."""
        expectation = None if holder is None else holder.expectation
        return self._overdue_ns if expectation is None else expectation.limit_ns

    def name_of(self, claim: Claim) -> str:
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

    def trace_of(self, claim: Claim) -> TraceContext | None:
        """The span in which it was asked for."""
        if claim.trace is None or isinstance(claim.trace, TraceContext):
            return claim.trace
        try:
            return trace_in(claim.trace)
        except Exception:
            self.failures.note("reading a trace")
            return None

    def unix_time(self, instant: int) -> float:
        """What the wall clock said then."""
        return (self._epoch + instant) / NANOSECONDS
