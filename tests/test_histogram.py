from __future__ import annotations

import pytest

from pool_observer.buckets import CREATE_BOUNDS, USE_BOUNDS, WAIT_BOUNDS
from pool_observer.histogram import Histogram
from pool_observer.model import TraceContext
from pool_observer.state import Exemplar
from pool_observer.thresholds import Thresholds

SECOND = 1_000_000_000
TRACE = TraceContext("0" * 31 + "1", "0" * 15 + "2", flags=1)


def test_a_bound_is_part_of_its_bucket() -> None:
    histogram = Histogram((0.5, 2.0))
    for nanoseconds in (0, SECOND // 2, SECOND // 2 + 1, 2 * SECOND, 2 * SECOND + 1):
        histogram.add(nanoseconds)
    assert histogram.frozen().counts == (2, 2, 1)


def test_the_sum_is_exact() -> None:
    histogram = Histogram((1.0,))
    for nanoseconds in (1, 10**18, 3):
        histogram.add(nanoseconds)
    distribution = histogram.frozen()
    assert distribution.sum_ns == 10**18 + 4
    assert distribution.count == 3
    assert distribution.sum_seconds == pytest.approx(1e9)


def test_a_bucket_remembers_the_last_trace() -> None:
    histogram = Histogram((1.0, 10.0))
    for seconds in (2, 3):
        bucket = histogram.add(seconds * SECOND)
        histogram.exemplify(bucket, TRACE, seconds * SECOND, at=1000.0 + seconds)
    assert histogram.frozen().exemplars == {1: Exemplar(TRACE, 3.0, 1003.0)}


def test_what_is_frozen_does_not_change_any_more() -> None:
    histogram = Histogram((1.0,))
    before = histogram.frozen()
    histogram.exemplify(histogram.add(1), TRACE, 1, at=0)
    assert (before.counts, before.sum_ns, before.exemplars) == ((0, 0), 0, {})


@pytest.mark.parametrize("bounds", [WAIT_BOUNDS, USE_BOUNDS, CREATE_BOUNDS])
def test_bounds_only_rise(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))


def test_what_alerts_look_at_is_a_bound() -> None:
    thresholds = Thresholds()
    looked_at = {thresholds.slow_wait, thresholds.queue_wait, thresholds.pool_timeout_high}
    assert looked_at | {thresholds.leak_after} <= set(WAIT_BOUNDS) & set(USE_BOUNDS)
