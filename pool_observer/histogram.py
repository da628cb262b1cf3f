"""Counts durations by size. Cheap enough for every wait and every hold there is."""

from __future__ import annotations

from bisect import bisect_left

from pool_observer.buckets import Bounds
from pool_observer.model import NANOSECONDS, TraceContext
from pool_observer.state import NO_EXEMPLARS, Distribution, Exemplar


class Histogram:
    """How many durations were of what size, and their sum, exactly."""

    __slots__ = ("_bounds", "_bounds_ns", "_counts", "_exemplars", "_sum_ns")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._bounds_ns = [round(bound * NANOSECONDS) for bound in bounds]
        self._counts = [0] * (len(bounds) + 1)
        self._sum_ns = 0
        self._exemplars: dict[int, Exemplar] = {}

    def add(self, duration_ns: int) -> int:
        """Count a duration. Returns the number of its bucket."""
        bucket = bisect_left(self._bounds_ns, duration_ns)  # a bound is part of its bucket
        self._counts[bucket] += 1
        self._sum_ns += duration_ns
        return bucket

    def exemplify(
        self, bucket: int, trace: TraceContext | None, duration_ns: int, at: float
    ) -> None:
        """Remember the trace of a duration that was counted just now, one for each bucket.

        If there is anything to look up: a trace that was not sampled leads nowhere.
        """
        if trace is None or not trace.sampled:
            return
        self._exemplars[bucket] = Exemplar(trace, duration_ns / NANOSECONDS, at)

    def frozen(self) -> Distribution:
        exemplars = self._exemplars.copy() if self._exemplars else NO_EXEMPLARS
        return Distribution(self._bounds, tuple(self._counts), self._sum_ns, exemplars)
