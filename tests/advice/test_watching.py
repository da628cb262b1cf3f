"""Since when there are samples, asked of a Prometheus that looks at a grid of moments."""

from __future__ import annotations

import pytest

from pool_observer.advice.watching import Target, watched_seconds

HOUR, DAY = 3600, 86400
NOW = 1_790_000_123


def target(instance: str) -> Target:
    return frozenset({("instance", instance)})


A, B = target("a"), target("b")


class Grid:
    """Has a sample of each target at each second since it began so long ago."""

    def __init__(self, ages: dict[Target, int]) -> None:
        self.ages = ages
        self.asked: list[tuple[int, int]] = []

    def seen(self, width: int, step: int) -> dict[Target, float]:
        self.asked.append((width, step))
        found = {}
        for each, age in self.ages.items():
            # Prometheus looks at multiples of the step only.
            first = -(-max(NOW - age, NOW - width) // step) * step
            if first <= NOW:
                found[each] = float(NOW - first)
        return found


@pytest.mark.parametrize("window", [60, HOUR, DAY, 7 * DAY, 90 * DAY])
@pytest.mark.parametrize("age", [0, 1, 59, 700, HOUR, 5 * HOUR, 3 * DAY])
def test_how_long_a_target_was_watched_is_found_in_any_window(window: int, age: int) -> None:
    grid = Grid({A: age})
    if age >= window:
        assert watched_seconds([A], window, [A], grid.seen) == {A: window}
        assert grid.asked == []
    else:
        found = watched_seconds([A], window, [], grid.seen)
        assert found == {A: pytest.approx(age, rel=0.004, abs=1)}


def test_each_target_has_an_age_of_its_own() -> None:
    grid = Grid({A: 700, B: 5 * DAY})
    found = watched_seconds([A, B], 7 * DAY, [], grid.seen)
    assert found == {A: pytest.approx(700, abs=2), B: pytest.approx(5 * DAY, rel=0.004)}


def test_it_is_asked_no_longer_than_it_makes_a_difference() -> None:
    grid = Grid({A: 3 * DAY})
    watched_seconds([A], 7 * DAY, [], grid.seen)
    assert grid.asked == [(7 * DAY, 604)]
    exact = Grid({A: 10})
    assert watched_seconds([A], HOUR // 2, [], exact.seen) == {A: 10}
    assert exact.asked == [(HOUR // 2, 1)]


def test_a_target_without_any_sample_is_not_asked_for_for_ever() -> None:
    assert watched_seconds([A], 90 * DAY, [], Grid({}).seen) == {A: 0.0}


def test_nobody_is_older_than_the_window() -> None:
    assert watched_seconds([A], 60, [], lambda *_: {A: 61.5}) == {A: 60}
