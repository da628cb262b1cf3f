from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool_observer.advice.sizing import Split, split, with_headroom
from pool_observer.thresholds import Thresholds

LIMITS = Thresholds()


@pytest.mark.parametrize(
    ("connections", "average", "expected"),
    [
        pytest.param(15, 2.0, Split(10, 5), id="bursts_are_for_the_overflow"),
        pytest.param(40, 29.9, Split(40, 0), id="what_is_always_held_is_not"),
        pytest.param(40, 20.0, Split(29, 11), id="nor_what_is_held_nearly_always"),
        pytest.param(7, 1.0, Split(5, 3), id="no_smaller_than_usual"),
        pytest.param(2, 0.1, Split(5, 3), id="nor_for_hardly_anything"),
        pytest.param(5, 9.0, Split(5, 3), id="no_more_than_were_wanted"),
        pytest.param(9, 20.0, Split(9, 0), id="what_is_always_held_though_it_is_little"),
    ],
)
def test_connections_are_split_into_size_and_overflow(
    connections: int, average: float, expected: Split
) -> None:
    assert split(connections, average, LIMITS) == expected


@given(connections=st.integers(1, 1000), average=st.floats(0, 1000))
def test_no_connection_is_lost_and_overflow_is_no_more_than_usual(
    connections: int, average: float
) -> None:
    found = split(connections, average, LIMITS)
    usual = with_headroom(0, LIMITS).connections
    assert found.connections == max(connections, usual)
    assert found.pool_size >= LIMITS.pool_size_low
    assert 0 <= found.max_overflow <= found.pool_size * LIMITS.overflow_ratio_high


@given(connections=st.integers(1, 1000), average=st.floats(0, 1000))
def test_there_is_no_overflow_only_where_it_would_be_used_all_the_time(
    connections: int, average: float
) -> None:
    found = split(connections, average, LIMITS)
    if not found.max_overflow:
        assert average + 2 * math.sqrt(average) > connections - 1


@pytest.mark.parametrize(("connections", "expected"), [(2, Split(5, 3)), (9, Split(9, 5))])
def test_what_nobody_has_measured_gets_the_usual_overflow(
    connections: int, expected: Split
) -> None:
    assert with_headroom(connections, LIMITS) == expected
