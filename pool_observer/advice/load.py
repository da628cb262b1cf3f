"""What all workers' pools of one name come to together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pool_observer.advice.measurement import HolderLoad, PoolLoad
from pool_observer.advice.queueing import LONGEST_WAIT_SECONDS

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
    def timed_out_a_second(self) -> float:
        return sum(part.timed_out / part.window_seconds for part in self.parts)

    @property
    def queued_seconds(self) -> float:
        """For how long callers queued, all of them together: somebody is to blame for each."""
        return sum(each.blamed_seconds for each in self.holders)

    @property
    def peak(self) -> PoolLoad:
        """The worker that wanted the most at once."""
        return max(self.parts, key=lambda part: part.peak_demand)

    @property
    def max(self) -> int | None:
        """The most that one worker's pool hands out."""
        return self.peak.max

    @property
    def saturated(self) -> bool:
        """Whether the pool held back some of what was wanted of it."""
        over = self.max is not None and self.peak.peak_demand > self.max
        return over or self.timed_out > 0 or self.queued_seconds > LONGEST_WAIT_SECONDS


def loads(parts: Iterable[PoolLoad]) -> list[Load]:
    """The pools by name."""
    by_name: dict[str, list[PoolLoad]] = defaultdict(list)
    for part in parts:
        by_name[part.name].append(part)
    return [
        Load(name, tuple(same), _together(each for part in same for each in part.holders))
        for name, same in sorted(by_name.items())
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
        )
    return tuple(sorted(found.values(), key=lambda each: each.connections, reverse=True))
