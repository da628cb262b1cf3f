"""What a pool has been used for in the last minutes, second by second and holder by holder.

Worked out from totals, not from looking at the pool now and then: no burst is missed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pool_observer.model import NANOSECONDS
from pool_observer.settled import Settled
from pool_observer.state import HolderTotals, PoolTotals

SECONDS = 300
"""How far back it goes."""

APART_NS = 10 * NANOSECONDS
"""Between two notes of what holders have come to: there may be hundreds of them."""

_NOBODY = HolderTotals()


@dataclass(frozen=True, slots=True)
class Second:
    """One second: connections on average, callers waiting at its end, and those in it in vain."""

    executing: float
    in_transaction: float
    idle: float
    waiting: int
    timed_out: int
    failed: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a holder has done within the last minutes."""

    holder: str
    executing_ns: int
    in_transaction_ns: int
    idle_ns: int
    blamed_seconds: float
    timed_out: int
    failed: int
    checkouts: int

    @property
    def total_ns(self) -> int:
        return self.executing_ns + self.in_transaction_ns + self.idle_ns


@dataclass(frozen=True, slots=True)
class _Figures:
    executing_ns: int
    in_transaction_ns: int
    idle_ns: int
    timed_out: int
    failed: int


class History:
    """The last minutes of one pool."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was: after a fork it was somebody else's."""
        self.seconds: deque[Second] = deque(maxlen=SECONDS)
        self._last: tuple[int, _Figures] | None = None
        self._holders: deque[tuple[int, dict[str, HolderTotals]]] = deque(
            maxlen=SECONDS * NANOSECONDS // APART_NS + 1
        )

    def look(self, settled: Settled) -> None:
        """Take note of what has happened since the last time; once a second."""
        now, totals = settled.now, settled.totals
        if totals is None:
            return
        figures = _sum(totals)
        if self._last is not None:
            self._note(now, figures, *self._last, len(settled.waiting))
        self._last = now, figures
        if not self._holders or now - self._holders[-1][0] >= APART_NS:
            self._holders.append((now, dict(totals.holders)))

    def _note(self, now: int, new: _Figures, then: int, old: _Figures, waiting: int) -> None:
        passed = now - then
        if passed <= 0:
            return
        second = Second(
            (new.executing_ns - old.executing_ns) / passed,
            (new.in_transaction_ns - old.in_transaction_ns) / passed,
            (new.idle_ns - old.idle_ns) / passed,
            waiting,
            new.timed_out - old.timed_out,
            new.failed - old.failed,
        )
        self.seconds.append(second)
        # Where looking was late, the seconds it has missed were like this one.
        quiet = Second(second.executing, second.in_transaction, second.idle, waiting, 0, 0)
        self.seconds.extend([quiet] * min(round(passed / NANOSECONDS) - 1, SECONDS))

    def uses(self, totals: PoolTotals) -> list[Use]:
        """What each holder has done since `began_at`, who has held the most first."""
        before = self._holders[0][1] if self._holders else {}
        uses = [
            _difference(holder, now, before.get(holder, _NOBODY))
            for holder, now in totals.holders.items()
        ]
        return sorted(uses, key=lambda use: use.total_ns, reverse=True)

    def began_at(self) -> int | None:
        """Since when `uses` tells, on the ledger's clock."""
        return self._holders[0][0] if self._holders else None


def _sum(totals: PoolTotals) -> _Figures:
    holders = totals.holders.values()
    return _Figures(
        sum(each.executing_ns for each in holders),
        sum(each.in_transaction_ns for each in holders),
        sum(each.idle_ns for each in holders),
        sum(each.timed_out for each in holders),
        sum(each.failed for each in holders),
    )


def _difference(holder: str, now: HolderTotals, before: HolderTotals) -> Use:
    return Use(
        holder,
        now.executing_ns - before.executing_ns,
        now.in_transaction_ns - before.in_transaction_ns,
        now.idle_ns - before.idle_ns,
        now.blamed_seconds - before.blamed_seconds,
        now.timed_out - before.timed_out,
        now.failed - before.failed,
        now.checkouts - before.checkouts,
    )
