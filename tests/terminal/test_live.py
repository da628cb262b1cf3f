"""What is drawn on a terminal, by a clock that the test turns."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from pool_observer.terminal.asking import News
from pool_observer.terminal.console import Console
from pool_observer.terminal.live import Screen
from pool_observer.terminal.reading import answer
from pool_observer.terminal.screen import Wanted
from pool_observer.terminal.styling import Line
from tests.page.documents import document, pool

WANTED = Wanted("http://localhost:8000/debug/pools")


class FakeConsole(Console):
    """Keeps what is drawn."""

    def __init__(self, *, has_keys: bool = True) -> None:
        self.shown = ""
        self._keys = 0 if has_keys else None

    def size(self) -> os.terminal_size:
        return os.terminal_size((80, 24))

    def draw(self, lines: Sequence[Line]) -> None:
        self.shown = "\n".join(line.text for line in lines)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def told(used: int, pid: int, now: float) -> News:
    return News(answer(document(pool(used=used), pid=pid)), now)


def test_who_answers_in_a_pause_is_not_missed_after_it(clock: Clock) -> None:
    console = FakeConsole()
    screen = Screen(console, WANTED, 1.0, clock)
    screen.hear(told(3, 71, 0.0))
    screen.hear(told(4, 72, 0.0))
    screen.press("p")
    for clock.now in range(1, 60):
        screen.hear(told(5, 71, clock.now))
        screen.hear(told(6, 72, clock.now))
        screen.draw(None)
        assert "orders of 71: 3 of 15" in console.shown
    screen.press("p")
    screen.draw(None)
    assert "orders of 71: 5 of 15" in console.shown
    assert "not met" not in console.shown


def test_that_an_answer_is_outstanding_is_drawn(clock: Clock) -> None:
    console = FakeConsole()
    screen = Screen(console, WANTED, 1.0, clock)
    screen.hear(told(3, 71, 0.0))
    clock.now = 3.5
    screen.draw(1.0)
    assert "no answer for 3.5 s" in console.shown


@pytest.mark.parametrize(
    ("has_keys", "said"), [(True, "q quit  p pause  s sort by age"), (False, "Ctrl-C quits")]
)
def test_only_keys_that_somebody_can_type_are_told(has_keys: bool, said: str, clock: Clock) -> None:
    console = FakeConsole(has_keys=has_keys)
    Screen(console, WANTED, 1.0, clock).draw(None)
    assert console.shown.splitlines()[-1] == said
