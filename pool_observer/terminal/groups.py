"""Who holds connections and who waits for one, those of the same holder and line together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pool_observer.explanation import ExplainedHold
from pool_observer.model import Activity, CallSite, Hold, Stage, Wait
from pool_observer.terminal.answer import PoolNow


class Order(StrEnum):
    """What is at the top."""

    CONNECTIONS = "connections"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Holders:
    """Connections of one pool that the same line of the same holder has taken."""

    pool: str
    holds: tuple[ExplainedHold, ...]
    """The longest first."""

    @property
    def longest(self) -> Hold:
        return self.holds[0].hold

    @property
    def doing(self) -> Counter[Activity]:
        return Counter(held.hold.activity for held in self.holds)


@dataclass(frozen=True, slots=True)
class Waiters:
    """Callers of the same holder and line that wait for the same."""

    pool: str
    first: Wait
    """Has waited longest."""
    count: int


def holders(pools: Iterable[PoolNow], order: Order) -> list[Holders]:
    """In that order; of equals, who has held the longest comes first."""
    groups: dict[tuple[str, str, CallSite | None], list[ExplainedHold]] = {}
    for pool in pools:
        for held in pool.explanation.holds:
            key = (pool.name, held.hold.holder, held.hold.call_site)
            groups.setdefault(key, []).append(held)
    found = [
        Holders(name, tuple(sorted(group, key=lambda held: -held.hold.duration_ns)))
        for (name, _, _), group in groups.items()
    ]
    return sorted(found, key=lambda each: _rank(each, order), reverse=True)


def _rank(group: Holders, order: Order) -> tuple[int, int]:
    rank = (len(group.holds), group.longest.duration_ns)
    return rank if order is Order.CONNECTIONS else (rank[1], rank[0])


def waiters(pools: Iterable[PoolNow]) -> list[Waiters]:
    """The most numerous first; of equals, who has waited longest."""
    groups: dict[tuple[str, str, CallSite | None, Stage, CallSite | None], list[Wait]] = {}
    for pool in pools:
        for wait in pool.explanation.waits:
            key = (pool.name, wait.holder, wait.call_site, wait.stage, wait.nested_in)
            groups.setdefault(key, []).append(wait)
    found = [
        Waiters(key[0], max(group, key=lambda wait: wait.duration_ns), len(group))
        for key, group in groups.items()
    ]
    return sorted(found, key=lambda each: (each.count, each.first.duration_ns), reverse=True)
