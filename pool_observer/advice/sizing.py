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


def split(wanted: int, average: float, limits: Thresholds) -> Split:
    """So many connections, which were wanted at once, as a size and an overflow.

    Connections of the overflow are opened and closed at each use, and one that is being closed
    still counts. So the size is as many as are held now and again, which is seldom more than the
    average and twice its square root (Poisson); for the rest there is the overflow, which is
    the usual share of the size at most. The least is the usual size with the usual overflow.
    """
    connections = max(wanted, with_headroom(0, limits).connections)
    often = min(math.ceil(average + 2 * math.sqrt(average)), wanted)
    usual = math.floor(connections / (1 + limits.overflow_ratio_low))
    size = max(usual, limits.pool_size_low, often)
    return Split(size, connections - size)


def with_headroom(connections: int, limits: Thresholds) -> Split:
    """So many connections, which nobody has measured, and the usual overflow above them."""
    size = max(connections, limits.pool_size_low)
    return Split(size, math.ceil(size * limits.overflow_ratio_low))
