"""What PgBouncer would need behind all workers, and whether it would help."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from pool_observer.advice.load import Load
from pool_observer.advice.queueing import connections_needed
from pool_observer.thresholds import Thresholds

OUTSIDE_SHARE = 0.2
"""From this share of the time on for which connections are held outside of transactions, it pays
to have others use the server's connection meanwhile."""


@dataclass(frozen=True, slots=True)
class Bouncer:
    """PgBouncer in transaction mode: a connection to the server lasts as long as a transaction."""

    average: float
    """Connections to the server on average: executing, and in transaction."""
    default_pool_size: int
    outside_ratio: float
    """The share of all holding that is outside of transactions."""
    mended_average: float
    mended_pool_size: int
    """The same if the mends are done, or if those routes committed before they await."""
    asyncpg: bool

    @property
    def pays(self) -> bool:
        """Whether transaction mode frees much that is held."""
        return self.outside_ratio >= OUTSIDE_SHARE


def behind_bouncer(load: Load, mended: Collection[str], limits: Thresholds) -> Bouncer | None:
    """What it would need for this load; None if this is no PostgreSQL."""
    pool = load.parts[0]
    if pool.dialect != "postgresql":
        return None
    average = sum(each.executing + each.in_transaction for each in load.holders)
    waiting = sum(each.in_transaction for each in load.holders if each.holder in mended)
    return Bouncer(
        average=average,
        default_pool_size=_size(average, load, limits),
        outside_ratio=1 - average / load.connections,
        mended_average=average - waiting,
        mended_pool_size=_size(average - waiting, load, limits),
        asyncpg=pool.driver == "asyncpg",
    )


def _size(average: float, load: Load, limits: Thresholds) -> int:
    """Enough that almost nobody queues for a server connection, with headroom for a burst."""
    needed = connections_needed(average, average / load.arrivals)
    return max(needed, math.ceil(average / limits.high_ratio), 1)
