"""Running totals by holder, with a bound on how many holders are told apart."""

from __future__ import annotations

from collections import Counter

from pool_observer.buckets import CREATE_BOUNDS, USE_BOUNDS, WAIT_BOUNDS
from pool_observer.claim import Split
from pool_observer.contention import Blame, Contention
from pool_observer.histogram import Histogram
from pool_observer.model import NANOSECONDS, OTHER, UNATTRIBUTED, Ending, Outcome
from pool_observer.progress import PhaseSplit
from pool_observer.state import HolderTotals, Nesting, PoolTotals

# By names of their own, because a member of an enum is found through its metaclass: slowly.
ACQUIRED, TIMED_OUT, CANCELLED, FAILED = Outcome
CHECKIN, DETACHED, LOST = Ending

MOST_NESTINGS = 1000
"""Pairs of lines told apart. They are bounded by the code, and by the bound on holders."""


class Tally:
    """What one holder has done so far."""

    # Numbers rather than dicts of them: this is added to for every connection there is.
    __slots__ = (
        "acquired",
        "background",
        "blamed_ns",
        "checkins",
        "connect_ns",
        "detached",
        "executing",
        "handler",
        "holder",
        "idle",
        "in_transaction",
        "nested",
        "overdue",
        "ping_ns",
        "queue_ns",
        "response",
        "returns",
        "use_time",
        "wait_time",
        "waits",
    )

    def __init__(self, holder: str) -> None:
        self.holder = holder
        # Everything exists from the start at 0: a series that is born at its first event
        # hides that event from whoever computes an increase.
        self.acquired = self.checkins = 0
        # What happens seldom. (A member of an enum is slow to look up.)
        self.returns = dict.fromkeys(Ending, 0)
        self.waits = dict.fromkeys(Outcome, 0)
        self.queue_ns = self.connect_ns = self.ping_ns = 0
        self.executing = self.in_transaction = self.idle = 0
        self.handler = self.response = self.background = self.detached = 0
        self.nested = self.overdue = 0
        self.blamed_ns = 0.0
        self.wait_time = Histogram(WAIT_BOUNDS)
        self.use_time = Histogram(USE_BOUNDS)

    def add_wait(self, outcome: Outcome, split: tuple[int, int, int]) -> None:
        """Add a wait that is over: nanoseconds in the queue, connecting and pinging."""
        if outcome is ACQUIRED:
            self.acquired += 1
        else:
            self.waits[outcome] += 1
        queue, connect, ping = split
        self.queue_ns += queue
        self.connect_ns += connect
        self.ping_ns += ping

    def add_return(self, ending: Ending) -> None:
        """Add the end of a hold."""
        if ending is CHECKIN:
            self.checkins += 1
        else:
            self.returns[ending] += 1

    def add_activity(self, now: Split, before: Split) -> None:
        """Add what a hold has spent since it was last added."""
        self.executing += now[0] - before[0]
        self.in_transaction += now[1] - before[1]
        self.idle += now[2] - before[2]

    def add_phases(self, now: PhaseSplit, before: PhaseSplit) -> None:
        """Add the phases a hold has been in since it was last added."""
        self.handler += now[0] - before[0]
        self.response += now[1] - before[1]
        self.background += now[2] - before[2]
        self.detached += now[3] - before[3]

    def frozen(self) -> HolderTotals:
        return HolderTotals(
            checkouts=self.acquired,
            timed_out=self.waits[TIMED_OUT],
            cancelled=self.waits[CANCELLED],
            failed=self.waits[FAILED],
            checkins=self.checkins,
            detached=self.returns[DETACHED],
            lost=self.returns[LOST],
            queue_ns=self.queue_ns,
            connect_ns=self.connect_ns,
            ping_ns=self.ping_ns,
            executing_ns=self.executing,
            in_transaction_ns=self.in_transaction,
            idle_ns=self.idle,
            handler_ns=self.handler,
            response_ns=self.response,
            background_ns=self.background,
            detached_ns=self.detached,
            nested=self.nested,
            wait_time=self.wait_time.frozen(),
            use_time=self.use_time.frozen(),
            overdue=self.overdue,
            blamed_seconds=self.blamed_ns / NANOSECONDS,
        )


class Totals:
    """The tallies of a pool: one for each holder up to `holder_limit`, then one for the rest."""

    def __init__(self, holder_limit: int, since: int = 0) -> None:
        self._holder_limit = holder_limit
        self._tallies: dict[str, Tally] = {}
        self._nestings: Counter[Nesting] = Counter()
        self.connections: Counter[str] = Counter(opened=0, closed=0, invalidated=0)
        self.create_time = Histogram(CREATE_BOUNDS)
        self.contention = Contention(since)

    @property
    def is_anybody(self) -> bool:
        """Whether there is any holder yet."""
        return bool(self._tallies)

    def of(self, holder: str) -> Tally:
        """The tally this holder is counted in: its own, or that of `other` if there are many."""
        tally = self._tallies.get(holder)
        if tally is None:
            if len(self._tallies) >= self._holder_limit:
                holder = OTHER
            tally = self._tallies.setdefault(holder, Tally(holder))
        return tally

    def add_nesting(self, nesting: Nesting) -> None:
        """Count that a connection was asked for while another was held."""
        self.of(nesting.holder).nested += 1
        if nesting in self._nestings or len(self._nestings) < MOST_NESTINGS:
            self._nestings[nesting] += 1

    def add_blame(self, blame: Blame) -> None:
        """Add what others have queued on account of each hold."""
        for claim, blamed_ns in blame.items():
            name = UNATTRIBUTED if claim is None else claim.name
            if name is not None:
                self.of(name).blamed_ns += blamed_ns

    def frozen(self, dropped_events: int, internal_errors: dict[str, int]) -> PoolTotals:
        return PoolTotals(
            holders={holder: tally.frozen() for holder, tally in self._tallies.items()},
            nestings=dict(self._nestings),
            full_ns=self.contention.full_ns,
            full_times=self.contention.full_times,
            create_time=self.create_time.frozen(),
            connections_opened=self.connections["opened"],
            connections_closed=self.connections["closed"],
            connections_invalidated=self.connections["invalidated"],
            dropped_events=dropped_events,
            internal_errors=internal_errors,
        )
