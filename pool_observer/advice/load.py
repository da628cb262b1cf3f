"""What all workers' pools of one name come to together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pool_observer.advice.measurement import HolderLoad, PoolLoad
from pool_observer.advice.queueing import LONGEST_WAIT_SECONDS, WAITS_RATIO

_NOBODY = HolderLoad("", 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Load:
    """A pool as its service uses it, in all workers."""

    name: str
    parts: tuple[PoolLoad, ...]
    holders: tuple[HolderLoad, ...]
    """In all workers together, who holds the most first."""

    @property
    def workers(self) -> int:
        return sum(part.workers for part in self.parts)

    @property
    def window_seconds(self) -> float:
        """For how long it was measured, at least."""
        return min(part.window_seconds for part in self.parts)

    @property
    def connections(self) -> float:
        """How many were held on average."""
        return sum(each.connections for each in self.holders)

    @property
    def arrivals(self) -> float:
        """Connections handed out a second."""
        return sum(each.arrivals for each in self.holders)

    @property
    def timed_out(self) -> float:
        return sum(part.timed_out for part in self.parts)

    @property
    def waiting(self) -> float:
        """Callers in the queues when it was asked."""
        return sum(part.waiting for part in self.parts)

    @property
    def queued_seconds(self) -> float:
        """For how long callers queued, all of them together: somebody is to blame for each."""
        return sum(each.blamed_seconds for each in self.holders)

    @property
    def peak(self) -> PoolLoad:
        """The worker that wanted the most at once."""
        return max(self.parts, key=lambda part: part.peak_demand)

    @property
    def busiest(self) -> float:
        """How many one worker held on average, where that was the most."""
        return max(part.connections / part.workers for part in self.parts)

    @property
    def max(self) -> int | None:
        """The most that one worker's pool hands out."""
        limits = [part.max for part in self.parts if part.max is not None]
        return max(limits) if len(limits) == len(self.parts) else None

    @property
    def class_without_size(self) -> str:
        """The class of the pool, if that is one which takes no size; empty otherwise."""
        return self.peak.pool_class if self.peak.size is None else ""

    @property
    def server_connections(self) -> int | None:
        """The most that the database server has for all workers, and others; None if unknown."""
        known = [part.server_connections for part in self.parts]
        return min((each for each in known if each is not None), default=None)

    @property
    def saturated(self) -> bool:
        """Whether the pool held back some of what was wanted of it."""
        over = any(part.max is not None and part.peak_demand > part.max for part in self.parts)
        return over or self.timed_out > 0 or self.queued_seconds > self._negligible_seconds

    @property
    def _negligible_seconds(self) -> float:
        """What callers may queue, all together, with as many connections as we call enough."""
        longest = max(part.window_seconds for part in self.parts)
        return LONGEST_WAIT_SECONDS * max(1.0, WAITS_RATIO * self.arrivals * longest)


def loads(parts: Iterable[PoolLoad]) -> list[Load]:
    """The pools by name, of each service by itself: many have a pool of the same name."""
    by_name: dict[tuple[str, str], list[PoolLoad]] = defaultdict(list)
    for part in parts:
        by_name[part.name, part.job].append(part)
    return [
        Load(name, tuple(same), _together(each for part in same for each in part.holders))
        for (name, _), same in sorted(by_name.items(), key=lambda each: each[0])
    ]


def _together(holders: Iterable[HolderLoad]) -> tuple[HolderLoad, ...]:
    found: dict[str, HolderLoad] = {}
    for each in holders:
        before = found.get(each.holder, replace(_NOBODY, holder=each.holder))
        arrivals = before.arrivals + each.arrivals
        held = before.mean_hold * before.arrivals + each.mean_hold * each.arrivals
        found[each.holder] = HolderLoad(
            holder=each.holder,
            executing=before.executing + each.executing,
            in_transaction=before.in_transaction + each.in_transaction,
            idle=before.idle + each.idle,
            arrivals=arrivals,
            mean_hold=held / arrivals if arrivals else max(before.mean_hold, each.mean_hold),
            blamed_seconds=before.blamed_seconds + each.blamed_seconds,
            timed_out=before.timed_out + each.timed_out,
        )
    return tuple(sorted(found.values(), key=lambda each: each.connections, reverse=True))
