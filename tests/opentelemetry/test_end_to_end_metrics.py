"""What arrives over OTLP from a real service on a real PostgreSQL: the metrics, all of them.

The truth is the observer's own state when the service is at rest.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pool_observer.metric import POOL_LABEL, Across, Kind, Metric
from pool_observer.opentelemetry.scope import SCOPE
from pool_observer.state import Distribution
from tests.opentelemetry.receiver import ReceivedPoint
from tests.opentelemetry.story import HELD, Story
from tests.support import UNPROBED

CUMULATIVE = 2

LAG = "pool_observer.event_loop_lag"
"""A figure of the instant, which is another at the next."""


def test_all_metrics_arrive_and_no_others(story: Story) -> None:
    names = [metric.name for metric in story.exports[-1] if metric.scope == SCOPE]
    assert sorted(names) == sorted(metric.name for metric in UNPROBED)
    assert story.encodings == {"gzip", "identity"}  # the receiver has been told either way


@pytest.mark.parametrize("metric", UNPROBED, ids=lambda metric: metric.name)
def test_a_metric_is_what_the_contract_says(metric: Metric, story: Story) -> None:
    told = story.metrics[metric.name]
    assert (told.unit, told.description) == (metric.unit, metric.help)
    if metric.kind is Kind.HISTOGRAM:
        assert (told.kind, told.temporality) == ("histogram", CUMULATIVE)
        assert {point.bounds for point in told.points} == {metric.bounds}
    elif metric.kind is Kind.GAUGE and metric.across is Across.WORST:
        assert told.kind == "gauge"
    else:
        assert (told.kind, told.temporality) == ("sum", CUMULATIVE)
        assert told.monotonic == (metric.kind is Kind.COUNTER)


@pytest.mark.parametrize("metric", UNPROBED, ids=lambda metric: metric.name)
def test_the_figures_of_a_metric_are_those_of_the_observer(metric: Metric, story: Story) -> None:
    points = story.metrics[metric.name].points
    told = {series(point.attributes): figures_in(point) for point in points}
    assert len(told) == len(points)  # no series twice
    truth = {
        series({POOL_LABEL: "orders", **dict(zip(metric.labels, values, strict=True))}): figure
        for values, figure in metric.read(story.state)
    }
    if metric.name == LAG:
        assert told.keys() == truth.keys()
        return
    assert told == {
        # A histogram is born with its first measurement.
        key: figures_of(figure)
        for key, figure in truth.items()
        if not isinstance(figure, Distribution) or figure.count
    }


def series(attributes: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(attributes.items())


def figures_in(point: ReceivedPoint) -> Any:
    return point.value if point.value is not None else (point.counts, point.count, point.sum)


def figures_of(figure: float | Distribution) -> Any:
    if not isinstance(figure, Distribution):
        return figure
    return figure.counts, figure.count, pytest.approx(figure.sum_seconds, rel=1e-9)


def test_there_is_something_to_tell_of_every_counter(story: Story) -> None:
    silent = {
        metric.name
        for metric in UNPROBED
        if metric.kind is Kind.COUNTER
        and not any(p.value for p in story.metrics[metric.name].points)
    }
    assert silent == {"pool_observer.internal_errors", "pool_observer.dropped_events"}


def test_nothing_is_open_when_nobody_asks(story: Story) -> None:
    for name in ("oldest_hold", "oldest_wait", "utilization_ratio", "ledger_drift"):
        assert [point.value for point in story.metrics[f"pool_observer.{name}"].points] == [0]


def test_exemplars_lead_to_requests_of_their_holder(story: Story) -> None:
    found = Counter(
        (metric.name, point.attributes["holder"], story.server_span(trace_id).name)
        for export in story.exports
        for metric in export
        if metric.scope == SCOPE
        for point in metric.points
        for trace_id, _ in point.exemplars
    )
    for name in ("wait_time", "use_time"):
        assert found[f"db.client.connection.{name}", HELD, HELD]
    assert all(holder == request for _, holder, request in found)
