"""Two clocks: one that measures, and one on the wall that people set."""

from __future__ import annotations

from collections.abc import Iterable

from pool_observer.ledger import Ledger
from pool_observer.wall_clock import BELIEVED_NS
from tests.support import FakeClock

MS = 1_000_000


class Wall:
    """A wall clock; reading it may take a while."""

    def __init__(self, clock: FakeClock, offset: int) -> None:
        self.offset = offset
        self._clock = clock
        self.takes: list[int] = []

    def __call__(self) -> int:
        now = self._clock.now + self.offset
        self._clock.now += self.takes.pop(0) if self.takes else 0
        return now


def ledger_of(takes: Iterable[int] = ()) -> tuple[Ledger, Wall]:
    clock = FakeClock()
    wall = Wall(clock, 1000 * MS)
    wall.takes = list(takes)
    return Ledger("orders", clock=clock, wall_clock=wall), wall


def test_a_clock_that_was_set_is_followed() -> None:
    ledger, wall = ledger_of()
    assert ledger.wall.unix_ns(5) == 1000 * MS + 5
    wall.offset = 3000 * MS
    ledger.settle()
    assert ledger.wall.unix_ns(5) == 3000 * MS + 5


def test_small_differences_are_not_believed_so_that_what_follows_does_not_overlap() -> None:
    ledger, wall = ledger_of()
    wall.offset += BELIEVED_NS
    ledger.settle()
    assert ledger.wall.unix_ns(0) == 1000 * MS
    wall.offset += 1
    ledger.settle()
    assert ledger.wall.unix_ns(0) == 1000 * MS + BELIEVED_NS + 1


def test_a_pause_between_the_clocks_is_no_change() -> None:
    ledger, wall = ledger_of()
    wall.takes = [50 * MS]  # once: this thread had to wait for its turn
    ledger.settle()
    assert ledger.wall.unix_ns(0) == 1000 * MS
    wall.takes = [50 * MS] * 4  # every time: then nothing is certain, and nothing is changed
    ledger.settle()
    assert ledger.wall.unix_ns(0) == 1000 * MS


def test_a_pause_does_not_hide_a_change() -> None:
    ledger, wall = ledger_of()
    wall.offset += 20 * MS
    wall.takes = [50 * MS]
    ledger.settle()
    assert ledger.wall.unix_ns(0) == 1020 * MS


def test_the_first_comparison_is_the_best_of_three() -> None:
    ledger, _ = ledger_of(takes=[50 * MS, 2 * MS, 80 * MS])
    assert abs(ledger.wall.unix_ns(0) - 1000 * MS) == MS
