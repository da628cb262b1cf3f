"""Claims as the frozen values that everybody else is given."""

from __future__ import annotations

from pool_observer.call_site import resolve
from pool_observer.claim import Claim
from pool_observer.failures import Failures
from pool_observer.holder import Holder
from pool_observer.model import (
    NANOSECONDS,
    UNATTRIBUTED,
    CallSite,
    Ending,
    Hold,
    Outcome,
    Wait,
)
from pool_observer.open_claims import Clock, OpenClaims
from pool_observer.progress import NO_PHASES
from pool_observer.tracing import UNTRACED, Traced, traced_in
from pool_observer.wall_clock import WallClock


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
        self.wall = WallClock(clock, wall_clock)
        self._overdue_ns = overdue_after * NANOSECONDS

    def wait(self, claim: Claim, now: int, outcome: Outcome | None = None) -> Wait:
        """A wait as it is now; with the outcome, if that is counted."""
        queue, connect, ping = claim.wait_split(now)
        outer = claim.outer
        traced = self.traced(claim)
        return Wait(
            pool=self.pool,
            holder=self.name_of(claim),
            call_site=resolve(claim.site),
            began_ns=self.wall.unix_ns(claim.asked_at),
            outcome=outcome,
            stage=claim.stage,
            queue_ns=queue,
            connect_ns=connect,
            ping_ns=ping,
            nested=outer is not None,
            nested_in=None if outer is None else resolve(outer.site),
            trace=traced.span,
            suppressed=traced.suppressed,
        )

    def hold(self, claim: Claim, now: int, ending: Ending | None = None) -> Hold:
        """A hold as it is now; with its ending, if that is counted."""
        assert claim.granted_at is not None
        executing, in_transaction, idle = claim.split(now)
        activity, since, _, _ = claim.activity
        duration = executing + in_transaction + idle
        end = claim.granted_at + duration
        phases = claim.phase_split(end) or NO_PHASES
        handler, response, background, detached = phases
        holder = claim.holder
        expectation = None if holder is None else holder.expectation
        limit_ns = self.limit_ns(holder)
        progress = None if holder is None else holder.progress
        traced = self.traced(claim)
        executed_at, committed_at = claim.executed_at, claim.committed_at
        return Hold(
            pool=self.pool,
            holder=self.name_of(claim),
            call_site=resolve(claim.site),
            began_ns=self.wall.unix_ns(claim.granted_at),
            ending=ending,
            activity=activity,
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
            trace=traced.span_of_hold,
            suppressed=traced.suppressed,
            first_statement_after_ns=(
                None if executed_at is None else executed_at - claim.granted_at
            ),
            committed_after_ns=None if committed_at is None else committed_at - claim.granted_at,
            activity_for_ns=max(0, end - since),
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

    def traced(self, claim: Claim) -> Traced:
        """What OpenTelemetry said where it was asked for."""
        context = claim.trace
        if context is None:
            return UNTRACED
        if isinstance(context, Traced):
            return context
        try:
            return traced_in(context)
        except Exception:
            self.failures.note("reading a trace")
            return UNTRACED

    def group_of(self, claim: Claim) -> tuple[str, CallSite | None]:
        """Who it is for, and the line."""
        return self.name_of(claim), resolve(claim.site)
