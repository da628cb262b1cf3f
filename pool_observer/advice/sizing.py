"""How a number of connections is set on a pool: as its size, and its overflow."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pool_observer.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Split:
    """What to give to `create_engine()`."""

    pool_size: int
    max_overflow: int

    @property
    def connections(self) -> int:
        return self.pool_size + self.max_overflow


def split(connections: int, average: float, limits: Thresholds) -> Split:
    """So many connections, which were wanted at once, as a size and an overflow.

    Connections of the overflow are opened and closed at each use, and one that is being closed
    still counts. So the size is what is held nearly all the time, which is seldom more than the
    average and twice its square root (Poisson); for the rest there is the overflow, which is
    the usual share of the size at most.
    """
    connections = max(connections, limits.pool_size_low)
    nearly_always = math.ceil(average + 2 * math.sqrt(average))
    usual = math.floor(connections / (1 + limits.overflow_ratio_low))
    size = min(max(usual, limits.pool_size_low, nearly_always), connections)
    return Split(size, connections - size)


def with_headroom(connections: int, limits: Thresholds) -> Split:
    """So many connections, which nobody has measured, and the usual overflow above them."""
    size = max(connections, limits.pool_size_low)
    return Split(size, math.ceil(size * limits.overflow_ratio_low))
