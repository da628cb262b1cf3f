"""Lets other threads have a turn, now and then, in the middle of a long computation."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_TURN = 0.001
"""Seconds. Python itself would let a thread go on for five times as long, and the event loop
wait for it each time that it has waited for anything else."""


class Turns:
    """The turns of one computation, which calls `pause()` wherever it could be interrupted."""

    __slots__ = ("_clock", "_ends_at")

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._ends_at = clock() + LONGEST_TURN

    def pause(self) -> None:
        """Give way, if this turn has been long enough."""
        if self._clock() >= self._ends_at:
            time.sleep(0)
            self._ends_at = self._clock() + LONGEST_TURN
