"""`expect_long_hold()`: a connection that is meant to be out for long is not a leak."""

from __future__ import annotations

import math
from typing import Self

from pool_observer.deriving import HolderChange
from pool_observer.holder import DerivedHolder, Expectation, Holder
from pool_observer.model import NANOSECONDS
from pool_observer.names import checked_name
from pool_observer.observer import PoolObserver
from pool_observer.watchdog import process_watchdog

EXAMPLE = 'expect_long_hold(600, "nightly export")'


class LongHold(HolderChange):
    """What `expect_long_hold()` returns."""

    def __init__(self, seconds: float, reason: str) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"seconds must be a number, not {type(seconds).__name__}: {EXAMPLE}")
        if math.isnan(seconds) or seconds <= 0:
            raise ValueError(f"seconds must be more than 0, not {seconds!r}: {EXAMPLE}")
        self._seconds = seconds
        self._expectation = Expectation(
            seconds * NANOSECONDS, checked_name(reason, "a reason", EXAMPLE)
        )

    def derived_from(self, outer: Holder | None) -> DerivedHolder:
        return DerivedHolder(outer, self, expectation=self._expectation)

    def __enter__(self) -> Self:
        super().__enter__()
        for observer in process_watchdog.watched():
            if isinstance(observer, PoolObserver):
                observer.expect(self._expectation, self.derived_from)
        return self

    def __repr__(self) -> str:
        return f'expect_long_hold({self._seconds:g}, "{self._expectation.reason}")'


def expect_long_hold(seconds: float, reason: str) -> LongHold:
    """Connections held inside may be out for so many seconds before they are overdue.

    For migrations, exports, connections that LISTEN (`math.inf` is a number of seconds too).
    A context manager and decorator like `holding()`. It counts for what is taken inside, and
    for what the same request, task or thread holds already; each from when it was taken. The
    reason is shown wherever the hold is.

    >>> with expect_long_hold(600, "nightly export"):
    ...     pass  # connections taken here are overdue after 10 minutes
    """
    return LongHold(seconds, reason)
