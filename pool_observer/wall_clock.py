"""What the clock on the wall said at an instant of the clock that measures."""

from __future__ import annotations

from collections.abc import Callable

from pool_observer.model import NANOSECONDS

BELIEVED_NS = 100_000
"""By how much the clock on the wall must have been set for us to follow it."""


class WallClock:
    """Two clocks, how far apart they are, and what follows from it."""

    def __init__(self, clock: Callable[[], int], wall_clock: Callable[[], int]) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._epoch = min(self._difference() for _ in range(3))[1]

    def compare(self) -> None:
        """Notice, every now and then, whether the clock on the wall was set.

        Small differences are not believed: this thread may have had to pause between reading
        the one clock and the other, and what follows one another is not to overlap.
        """
        narrowest, epoch = self._difference()
        if abs(epoch - self._epoch) <= BELIEVED_NS:
            return
        for _ in range(3):
            narrowest, epoch = min((narrowest, epoch), self._difference())
        if abs(epoch - self._epoch) > BELIEVED_NS + narrowest:
            self._epoch = epoch

    def _difference(self) -> tuple[int, int]:
        """How far the clocks are apart, preceded by how unsure that is."""
        before = self._clock()
        wall = self._wall_clock()
        after = self._clock()
        return after - before, wall - (before + after) // 2

    def unix_ns(self, instant: int) -> int:
        """What it said then, in nanoseconds of Unix time."""
        return self._epoch + instant

    def unix_time(self, instant: int) -> float:
        """The same in seconds."""
        return self.unix_ns(instant) / NANOSECONDS
