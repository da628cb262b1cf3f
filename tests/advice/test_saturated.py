"""A pool that held back some of what was wanted of it: when that is so, and what it needs then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pool_observer.advice.advising import advise
from pool_observer.advice.sizing import Split
from tests.advice.loads import CHATTING, READING, holder, measured, pool
from tests.advice.test_advising import advice_on


@pytest.mark.parametrize(
    ("changes", "saturated"),
    [
        pytest.param({}, False, id="plenty"),
        pytest.param({"max": 38}, False, id="just_enough"),
        pytest.param({"max": 37}, True, id="one_had_to_queue"),
        pytest.param({"max": None}, False, id="no_limit"),
        pytest.param({"timed_out": 1.0}, True, id="somebody_gave_up"),
    ],
)
def test_a_pool_is_saturated_if_it_held_back_anything(
    changes: dict[str, Any], saturated: bool
) -> None:
    assert advice_on(CHATTING, **changes).load.saturated is saturated


@pytest.mark.parametrize(
    ("queued", "window", "saturated"),
    [
        pytest.param(0.005, 300.0, False, id="a_moment"),
        pytest.param(2.0, 300.0, True, id="two_seconds_of_five_minutes"),
        pytest.param(2.0, 86_400.0, False, id="but_not_of_a_day"),
        pytest.param(20.0, 86_400.0, True, id="a_day_has_a_bound_as_well"),
    ],
)
def test_a_queue_older_than_the_peak_saturates_if_it_is_more_than_what_is_promised(
    queued: float, window: float, saturated: bool
) -> None:
    # 10 a second: of 300 s, 3 callers may wait for 10 ms; of a day, 864.
    load = advice_on(replace(CHATTING, blamed_seconds=queued), window_seconds=window).load
    assert load.saturated is saturated


def test_a_saturated_pool_needs_what_the_model_says_of_all_who_asked() -> None:
    slow = holder("GET /report", 10.0, executing=1.0)
    # As many again gave up: 20 a second of 1 s each.
    advice = advice_on(slow, peak_demand=12, max=10, timed_out=3000.0)
    assert advice.as_it_is is not None
    assert advice.as_it_is.offered == pytest.approx(20.0)
    assert advice.needed == advice.as_it_is.connections > 20


def test_the_length_of_a_queue_is_no_size() -> None:
    # 288 at once, as with a pool_timeout of 5 s and 50 callers a second.
    advice = advice_on(CHATTING, READING, peak_demand=288, max=15)
    assert advice.as_it_is is not None
    assert advice.needed == advice.as_it_is.connections < 60


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"timed_out": 12.0, "peak_demand": 3}, id="time_outs_older_than_the_peak"),
        pytest.param({"peak_demand": 70}, id="a_burst"),
        pytest.param({"peak_demand": 16}, id="one_had_to_queue"),
    ],
)
def test_a_saturated_pool_is_never_told_to_shrink(changes: dict[str, Any]) -> None:
    quiet = replace(READING, arrivals=15.0, executing=0.32)
    advice = advice_on(quiet, max=15, size=5, max_overflow=10, **changes)
    assert advice.needed == 16
    assert advice.split == Split(10, 6)


def test_a_pool_that_is_saturated_in_one_worker_is_saturated() -> None:
    full = pool(CHATTING, peak_demand=31, max=30)
    (advice,) = advise(measured(pool(CHATTING, peak_demand=40, max=60), full))
    assert advice.load.saturated
    assert advice.needed == 61
