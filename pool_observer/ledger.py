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
from pool_observer.contention import Capacity
from pool_observer.describing import Describing
from pool_observer.failures import Failures
from pool_observer.model import (
    ConnectionClosed,
    ConnectionOpened,
    Ending,
)
from pool_observer.open_claims import ACQUIRED, BACKLOG, Churn, Clock
from pool_observer.progress import NO_PHASES
from pool_observer.settled import Settled
from pool_observer.state import Nesting, PoolTotals
from pool_observer.telling import Told
from pool_observer.totals import CHECKIN, Tally, Totals
from pool_observer.tracing import reader_of_current_context


class Ledger(Describing):
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
        super().__init__(
            pool,
            clock=clock,
            wall_clock=wall_clock,
            overdue_after=overdue_after,
            backlog=backlog,
            failures=failures,
        )
        self._holder_limit = holder_limit
        self._begin_counting()

    def _begin_counting(self) -> None:
        now = self.clock()
        self._totals = Totals(self._holder_limit, now)
        # Reentrant, because a destructor that the garbage collector runs while we hold it
        # may ask for a snapshot.
        self._lock = threading.RLock()
        self._settling = False
        self._last = self._settled = Settled(now)
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
            if self._settling:  # and a destructor asks, in the middle of it
                return Settled(
                    self._last.now,
                    self._last.holding,
                    self._last.waiting,
                    totals=self._frozen() if freeze else None,
                )
            self._settling = True
            try:
                self.trace_context = reader_of_current_context()  # it may be imported by now
                now = self.clock()
                self.wall.compare()
                settled = self._settle(now, Told() if tell else None, capacity)
                if freeze:
                    settled.totals = self._frozen()
                self._last = Settled(now, settled.holding, settled.waiting)
            finally:
                self._settling = False
        return settled

    def open_now(self) -> Settled:
        """What is open at this instant, and nothing else of it: no lock is taken."""
        waits = self.waits.copy().values()
        holding = sorted(self.holds.copy().values(), key=_granted_at)
        over = set(holding)
        waiting = sorted((claim for claim in waits if claim not in over), key=_asked_at)
        return Settled(self.clock(), holding, waiting)

    @property
    def was_used(self) -> bool:
        """Whether anybody has asked for a connection, as far as that is settled."""
        return self._totals.is_anybody

    def peak_demand(self, now: int) -> int:
        """The most connections held or asked for at once, in the minute until `now`."""
        with self._lock:
            return self._totals.contention.demand.at(now)

    def _frozen(self) -> PoolTotals:
        return self._totals.frozen(self.dropped, self.failures.counts())

    def _settle(self, now: int, told: Told | None, capacity: Capacity | None) -> Settled:
        settled = self._settled = Settled(now)
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
                    self._count(item, now, told)
                else:
                    self._count_churn(item, told)
            except Exception:
                self.failures.note("settling")
        for claim in holding:
            try:
                self._count_open(claim, now, told)
            except Exception:
                self.failures.note("settling")
        try:
            for claim in waiting:
                self._totals.of(self.name_of(claim))  # its series begin before its first figure
            claims += holding
            claims += waiting
            self._totals.add_blame(self._totals.contention.look(claims, now, capacity))
            if told is not None:
                told.say_who_held(claims, capacity, self.group_of)
        except Exception:
            self.failures.note("settling")
        holding.sort(key=_granted_at)
        waiting.sort(key=_asked_at)
        settled.holding, settled.waiting = holding, waiting
        if told is not None:
            settled.events = told.events
        return settled

    def _count(self, claim: Claim, now: int, told: Told | None) -> None:
        """Count a claim that is over."""
        try:
            if (
                claim.name is None
                and claim.ending is CHECKIN
                and claim.outer is None
                and told is None
            ):
                self._count_at_once(claim)
                return
            tally = self._count_open(claim, now, told)
            if claim.ending is not None:
                if claim.ending is Ending.LOST:
                    self._settled.lost.append(claim)
                elif claim.overdue:
                    self._settled.returned.append(claim)
                tally.add_return(claim.ending)
                executing, in_transaction, idle = claim.counted
                duration = executing + in_transaction + idle
                bucket = tally.use_time.add(duration)
                if claim.trace is not None:
                    span = self.traced(claim).span_of_hold
                    at = self.wall.unix_time((claim.granted_at or 0) + duration)
                    tally.use_time.exemplify(bucket, span, duration, at)
                if told is not None:
                    told.events.append(self.hold(claim, now, claim.ending))
        finally:
            self.forget(claim)

    def _count_at_once(self, claim: Claim) -> None:
        """Count a claim that has begun and ended since the last time, as nearly all have.

        It comes to what the long way comes to, at half the price: there is nothing to be kept
        for the next time, and nobody who wants to be told.
        """
        asked_at, granted_at, ended_at = claim.asked_at, claim.granted_at, claim.ended_at
        assert granted_at is not None
        assert ended_at is not None
        holder = claim.holder
        tally = self._totals.of(self.name_of(claim))
        claim.name = tally.holder  # for who is blamed
        tally.acquired += 1
        tally.checkins += 1
        waited, duration = granted_at - asked_at, ended_at - granted_at
        wait_bucket = tally.wait_time.add(waited)
        use_bucket = tally.use_time.add(duration)
        if claim.trace is not None:
            traced = self.traced(claim)
            at = self.wall.unix_time(granted_at)
            tally.wait_time.exemplify(wait_bucket, traced.span, waited, at)
            at = self.wall.unix_time(ended_at)
            tally.use_time.exemplify(use_bucket, traced.span_of_hold, duration, at)
        if claim.connecting_at is None and claim.pinging_at is None:
            tally.queue_ns += waited
        else:
            queue, connect, ping = claim.wait_split(ended_at)
            tally.queue_ns += queue
            tally.connect_ns += connect
            tally.ping_ns += ping
        tally.add_activity(claim.split(ended_at), NOTHING)
        if duration > self.limit_ns(holder):
            tally.overdue += 1
            claim.counted_phases, claim.counted_until = NO_PHASES, granted_at
            self._settled.overdue.append(claim)
            self._settled.returned.append(claim)
        if holder is not None and holder.progress is not None:
            tally.add_phases(holder.progress.split(granted_at, ended_at), NO_PHASES)

    def _count_open(self, claim: Claim, now: int, told: Told | None) -> Tally:
        """Add to the totals what they do not contain yet of this claim."""
        if claim.name is None:
            tally = self._count_wait(claim, now)
            if told is not None:
                told.wait(self.wait(claim, now, claim.outcome), claim)
        else:
            tally = self._totals.of(claim.name)
        if claim.outcome is not ACQUIRED:
            return tally
        split = claim.split(now)
        tally.add_activity(split, claim.counted)
        claim.counted = split
        duration = split[0] + split[1] + split[2]
        holder = claim.holder
        if not claim.overdue and duration > self.limit_ns(holder):
            claim.overdue = True
            tally.overdue += 1
            self._settled.overdue.append(claim)
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
        tally = self._totals.of(self.name_of(claim))
        if claim.trace is not None:
            claim.trace = self.traced(claim)
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
            at = self.wall.unix_time(claim.asked_at + duration)
            tally.wait_time.exemplify(bucket, self.traced(claim).span, duration, at)
        if claim.outer is not None:
            outer, inner = resolve(claim.outer.site), resolve(claim.site)
            self._totals.add_nesting(Nesting(tally.holder, outer, inner))
        return tally

    def _count_churn(self, event: Churn, told: Told | None) -> None:
        if told is not None:
            told.events.append(event)
        if isinstance(event, ConnectionOpened):
            self._totals.connections["opened"] += 1
            if event.create_ns is not None:
                self._totals.create_time.add(event.create_ns)
        elif isinstance(event, ConnectionClosed):
            self._totals.connections["closed"] += 1
        else:
            self._totals.connections["invalidated"] += 1

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
