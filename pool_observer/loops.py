"""How late event loops run what is due: that tells a blocked loop from an exhausted pool.

The watchdog asks each loop once a second to note the time. While a loop is blocked it does
not answer, and the time since it was asked is how late it is already.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from asyncio.events import _get_running_loop
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pool_observer.model import NANOSECONDS

REMEMBERED_PROBES = 15
"""Seconds that a stall is shown for: who looks every 15 seconds sees each."""

BLOCKED_AFTER_NS = NANOSECONDS
"""A loop that has not answered for so long is blocked, rather than busy."""

_Loop = weakref.ref[asyncio.AbstractEventLoop]


class _Probe:
    """One question to one loop, and when it was answered."""

    __slots__ = ("answered_at", "asked_at")

    def __init__(self, asked_at: int) -> None:
        self.asked_at = asked_at
        self.answered_at: int | None = None

    def lag(self, now: int) -> int:
        return (now if self.answered_at is None else self.answered_at) - self.asked_at


class _Followed:
    """What is known of one loop."""

    __slots__ = ("probes", "thread")

    def __init__(self) -> None:
        self.probes: deque[_Probe] = deque(maxlen=REMEMBERED_PROBES)
        self.thread = threading.get_ident()
        """The thread it runs in."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A loop that is blocked now."""

    thread: int
    """The identifier of its thread."""
    blocked_ns: int
    """For how long it has not answered."""


class LoopLag:
    """The event loops that use one pool. Refers to them weakly."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._loops: dict[_Loop, _Followed] = {}

    def follow_running(self) -> None:
        """Follow the loop that runs in this thread, if one does."""
        loop = _get_running_loop()
        if loop is not None:
            self._loops.setdefault(weakref.ref(loop), _Followed())

    def probe(self) -> None:
        """Ask each loop that has answered the last time."""
        for reference, followed in self._loops.copy().items():
            loop = reference()
            if loop is None or loop.is_closed():
                self._loops.pop(reference, None)
                continue
            probes = followed.probes
            if probes and probes[-1].answered_at is None:
                continue  # one question is enough to see how long it takes
            probe = _Probe(self._clock())
            probes.append(probe)
            try:
                loop.call_soon_threadsafe(self._answer, followed, probe)
            except RuntimeError:  # closed just now
                self._loops.pop(reference, None)

    def _answer(self, followed: _Followed, probe: _Probe) -> None:
        probe.answered_at = self._clock()
        followed.thread = threading.get_ident()

    def lag_seconds(self) -> float | None:
        """The worst of the last seconds, over all loops; None where there is no loop."""
        now = self._clock()
        lags = []
        for reference, followed in self._loops.copy().items():
            loop = reference()
            if loop is None or loop.is_closed():
                continue
            # A loop that is not running is late for nothing.
            running = loop.is_running()
            lags.append(0)
            lags += [
                probe.lag(now)
                for probe in followed.probes.copy()
                if running or probe.answered_at is not None
            ]
        return max(lags) / NANOSECONDS if lags else None

    def stalls(self) -> dict[int, Stall]:
        """The loops that are blocked now, by their `id()`."""
        now = self._clock()
        stalls = {}
        for reference, followed in self._loops.copy().items():
            loop = reference()
            last = followed.probes[-1] if followed.probes else None
            if loop is None or last is None or last.answered_at is not None:
                continue
            if loop.is_running() and last.lag(now) >= BLOCKED_AFTER_NS:
                stalls[id(loop)] = Stall(followed.thread, last.lag(now))
        return stalls

    def reset_after_fork(self) -> None:
        """The parent's loops do not run in the child."""
        self._loops = {}
