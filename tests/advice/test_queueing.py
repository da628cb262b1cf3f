"""The model of Erlang, against figures that others have published and a formula of its own."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_observer.advice.queueing import (
    MODEL_RATIO,
    MOST_CONNECTIONS,
    connections_needed,
    waits_ratio,
)


@pytest.mark.parametrize(
    ("connections", "offered", "waits"),
    [
        pytest.param(1, 0.8, 0.8, id="one_server_waits_as_often_as_it_is_busy"),
        pytest.param(2, 1.0, 1 / 3, id="two_servers"),
        pytest.param(3, 2.0, 4 / 9, id="three_servers"),
        pytest.param(14, 10.0, 0.1741, id="a_call_centre_with_14_agents"),
        pytest.param(10, 10.0, 1.0, id="no_more_than_is_offered"),
        pytest.param(5, 0.0, 0.0, id="nothing_is_offered"),
    ],
)
def test_who_has_to_wait_at_all(connections: int, offered: float, waits: float) -> None:
    assert waits_ratio(connections, offered) == pytest.approx(waits, abs=1e-4)


@given(offered=st.fractions(0.01, 30), more=st.integers(1, 30))
def test_it_is_what_the_formula_with_factorials_comes_to(offered: Fraction, more: int) -> None:
    connections = math.floor(offered) + more
    last = offered**connections / math.factorial(connections) * connections
    last /= connections - offered
    others = sum(offered**number / math.factorial(number) for number in range(connections))
    expected = float(last / (others + last))
    assert waits_ratio(connections, float(offered)) == pytest.approx(expected)


@given(offered=st.floats(0.001, 500))
def test_what_is_needed_is_the_least_that_is_enough(offered: float) -> None:
    needed = connections_needed(offered)
    assert needed > offered
    assert waits_ratio(needed, offered) < MODEL_RATIO
    assert waits_ratio(needed - 1, offered) >= MODEL_RATIO


@given(offered=st.floats(0.1, 100), fewer=st.floats(0.1, 1))
def test_who_offers_less_needs_no_more(offered: float, fewer: float) -> None:
    assert connections_needed(offered * fewer) <= connections_needed(offered)


def test_nothing_needs_no_connection() -> None:
    assert connections_needed(0.0) == 0


@pytest.mark.parametrize("offered", [-1.0, MOST_CONNECTIONS * 2.0, math.inf, math.nan])
def test_what_cannot_be_is_refused(offered: float) -> None:
    with pytest.raises(ValueError, match="beyond reason"):
        connections_needed(offered)


def test_the_most_there_can_be_is_reckoned_with() -> None:
    assert MOST_CONNECTIONS < connections_needed(MOST_CONNECTIONS) < 1.1 * MOST_CONNECTIONS
