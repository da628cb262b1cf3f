"""Running totals by holder, with a bound on how many holders are told apart."""

from __future__ import annotations

from collections import Counter

from pool_observer.claim import EXECUTING, IDLE, IN_TRANSACTION, Split
from pool_observer.model import OTHER, Activity, Ending, Outcome, Phase
from pool_observer.progress import BACKGROUND, DETACHED, HANDLER, RESPONSE, PhaseSplit
from pool_observer.state import HolderTotals, Nesting, PoolTotals

MOST_NESTINGS = 1000
"""Pairs of lines told apart. They are bounded by the code, and by the bound on holders."""


class Tally:
    """What one holder has done so far."""

    __slots__ = (
        "activity_ns",
        "connect_ns",
        "holder",
        "nested",
        "phase_ns",
        "ping_ns",
        "queue_ns",
        "returns",
        "waits",
    )

    def __init__(self, holder: str) -> None:
        self.holder = holder
        # Everything exists from the start at 0: a series that is born at its first event
        # hides that event from whoever computes an increase.
        self.returns = dict.fromkeys(Ending, 0)
        self.waits = dict.fromkeys(Outcome, 0)
        self.queue_ns = 0
        self.connect_ns = 0
        self.ping_ns = 0
        self.activity_ns = dict.fromkeys(Activity, 0)
        self.phase_ns = dict.fromkeys(Phase, 0)
        self.nested = 0

    def add_wait(self, outcome: Outcome, split: tuple[int, int, int]) -> None:
        """Add a wait that is over: nanoseconds in the queue, connecting and pinging."""
        self.waits[outcome] += 1
        queue, connect, ping = split
        self.queue_ns += queue
        self.connect_ns += connect
        self.ping_ns += ping

    def add_activity(self, now: Split, before: Split) -> None:
        """Add what a hold has spent since it was last added."""
        self.activity_ns[EXECUTING] += now[0] - before[0]
        self.activity_ns[IN_TRANSACTION] += now[1] - before[1]
        self.activity_ns[IDLE] += now[2] - before[2]

    def add_phases(self, now: PhaseSplit, before: PhaseSplit) -> None:
        """Add the phases a hold has been in since it was last added."""
        self.phase_ns[HANDLER] += now[0] - before[0]
        self.phase_ns[RESPONSE] += now[1] - before[1]
        self.phase_ns[BACKGROUND] += now[2] - before[2]
        self.phase_ns[DETACHED] += now[3] - before[3]

    def frozen(self) -> HolderTotals:
        return HolderTotals(
            checkouts=self.waits[Outcome.ACQUIRED],
            returns=dict(self.returns),
            waits=dict(self.waits),
            queue_ns=self.queue_ns,
            connect_ns=self.connect_ns,
            ping_ns=self.ping_ns,
            activity_ns=dict(self.activity_ns),
            phase_ns=dict(self.phase_ns),
            nested=self.nested,
        )


class Totals:
    """The tallies of a pool: one for each holder up to `holder_limit`, then one for the rest."""

    def __init__(self, holder_limit: int) -> None:
        self._holder_limit = holder_limit
        self._tallies: dict[str, Tally] = {}
        self._nestings: Counter[Nesting] = Counter()
        self.connections: Counter[str] = Counter(opened=0, closed=0, invalidated=0)

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

    def frozen(self, dropped_events: int, internal_errors: dict[str, int]) -> PoolTotals:
        return PoolTotals(
            holders={holder: tally.frozen() for holder, tally in self._tallies.items()},
            nestings=dict(self._nestings),
            connections_opened=self.connections["opened"],
            connections_closed=self.connections["closed"],
            connections_invalidated=self.connections["invalidated"],
            dropped_events=dropped_events,
            internal_errors=internal_errors,
        )
