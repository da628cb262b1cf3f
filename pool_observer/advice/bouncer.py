"""What PgBouncer would need behind all workers, and whether it would help."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from pool_observer.advice.load import Load
from pool_observer.advice.measurement import HolderLoad
from pool_observer.advice.modelling import offered
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
    offered: float
    """The same if nobody had given up, or had to wait."""
    default_pool_size: int
    outside_ratio: float
    """The share of all holding that is outside of transactions."""
    mended_average: float
    mended_pool_size: int
    """The same as offered if the mends are done, or if those routes commit before they await."""
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

    def in_transactions(each: HolderLoad) -> float:
        return each.executing + each.in_transaction

    def once_mended(each: HolderLoad) -> float:
        return each.executing if each.holder in mended else in_transactions(each)

    average = sum(map(in_transactions, load.holders))
    wanted = sum(offered(part, in_transactions) for part in load.parts)
    mended_average = sum(offered(part, once_mended) for part in load.parts)
    return Bouncer(
        average=average,
        offered=wanted,
        default_pool_size=_size(wanted, limits),
        outside_ratio=1 - average / load.connections,
        mended_average=mended_average,
        mended_pool_size=_size(mended_average, limits),
        asyncpg=pool.driver == "asyncpg",
    )


def _size(average: float, limits: Thresholds) -> int:
    """Enough that almost nobody queues for a server connection, with headroom for a burst."""
    return max(connections_needed(average), math.ceil(average / limits.high_ratio), 1)
