from __future__ import annotations

import math

import pytest

from pool_observer.demo.figures import Figures, Kind, Request, quantile


def request(
    kind: Kind = Kind.ITEM, status: int = 200, seconds: float = 1.0, ended: float = 1.0
) -> Request:
    return Request(kind, status, seconds, ended)


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [float(each) for each in range(1, 101)]
    assert quantile(reversed(values), 0.95) == 95
    assert quantile(values, 1.0) == 100
    assert quantile([7.0], 0.95) == 7
    assert math.isnan(quantile([], 0.95))


def test_who_is_told_of_a_time_out_has_waited_for_it() -> None:
    figures = Figures((request(seconds=0.1), request(status=503, seconds=5.0)), 10)
    assert figures.quantile(0.95) == 5
    assert figures.answered == 1
    assert figures.timed_out == 1


def test_of_what_was_answered_failures_are_left_out() -> None:
    figures = Figures((request(seconds=2.0), request(status=404, seconds=0.006)), 10)
    assert figures.answers.quantile(0.5) == 2
    assert figures.quantile(0.5) == 0.006


def test_rates_are_of_the_time_in_which_users_began_requests() -> None:
    figures = Figures(
        (
            request(ended=9.9),
            request(ended=10.1),
            request(status=503, ended=9.0),
            request(status=503, ended=12.0),
        ),
        10,
    )
    assert figures.answered_per_minute == 6
    assert figures.timed_out_per_minute == 6
    assert figures.timed_out == 2


@pytest.mark.parametrize(("kind", "number"), [(Kind.CHAT, 1), (Kind.ITEM, 2)])
def test_kinds_are_told_apart(kind: Kind, number: int) -> None:
    figures = Figures((request(Kind.CHAT), request(), request()), 10)
    assert len(figures.of(kind).requests) == number
