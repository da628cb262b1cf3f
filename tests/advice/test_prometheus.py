"""Several targets of one Prometheus, of which each is its own workers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pool_observer.advice.load import loads
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.prometheus import Questions, query_url
from pool_observer.advice.series import POOL

Series = list[tuple[dict[str, str], float]]


class Stored:
    """Answers as a Prometheus does that has these series, whatever is done to them."""

    def __init__(self, **series: Series) -> None:
        self.series = series
        self.asked: list[str] = []

    def ask(self, expression: str) -> Any:
        self.asked.append(expression)
        match = re.search(r"(pool_observer|db_client)\w+", expression)
        assert match is not None
        found = self.series.get(match[0], [])
        if " offset " in expression:
            found = []
        if "timestamp(" in expression:
            found = [(labels, 120.0) for labels, _ in found]
        result = [
            {"metric": labels | {"__name__": "x"}, "value": [1.0, str(value)]}
            for labels, value in found
        ]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}


def at(instance: str, **labels: str) -> dict[str, str]:
    return {POOL: "orders", "instance": instance, "job": "api", **labels}


def stored(**changes: Series) -> Stored:
    info = {"size": "10", "overflow": "5", "dialect": "postgresql", "driver": "psycopg"}
    series: dict[str, Series] = {
        "pool_observer_peak_demand": [(at("a"), 9.0), (at("b"), 12.0)],
        "pool_observer_info": [(at("a", **info), 1.0), (at("b", **info), 1.0)],
        "db_client_connection_max": [(at("a"), 60.0), (at("b"), 15.0)],
        "db_client_connection_timeouts_total": [(at("b", holder="GET /"), 3.0)],
        "pool_observer_activity_seconds_total": [
            (at("a", holder="GET /", activity="executing"), 240.0),
            (at("a", holder="GET /", activity="idle"), 120.0),
            (at("a", holder="GET /unused", activity="idle"), 0.0),
            (at("b", holder="GET /", activity="in_transaction"), 60.0),
        ],
        "pool_observer_checkouts_total": [
            (at("a", holder="GET /"), 360.0),
            (at("b", holder="GET /"), 60.0),
        ],
        "pool_observer_blamed_wait_seconds_total": [(at("a", holder="GET /"), 4.0)],
        "db_client_connection_use_time_seconds_sum": [(at("a", holder="GET /"), 350.0)],
        "db_client_connection_use_time_seconds_count": [(at("a", holder="GET /"), 350.0)],
        **changes,
    }
    return Stored(**series)


def test_each_target_is_measured_by_itself() -> None:
    a, b = Questions(stored().ask, 3600).pools().pools
    assert (a.source, a.workers, a.max, a.peak_demand) == ("job=api, instance=a", 4, 15, 9)
    assert (b.source, b.workers, b.max, b.peak_demand) == ("job=api, instance=b", 1, 15, 12)
    assert (a.timed_out, b.timed_out, a.window_seconds) == (0, 3, 120)
    (get,) = a.holders
    assert (get.executing, get.in_transaction, get.idle) == (2.0, 0.0, 1.0)
    assert (get.arrivals, get.mean_hold, get.blamed_seconds) == (3.0, 1.0, 4.0)
    # Where no hold has ended, by Little's law.
    assert b.holders[0].mean_hold == 1.0


def test_targets_of_one_pool_are_one_load() -> None:
    (load,) = loads(Questions(stored().ask, 3600).pools().pools)
    assert (load.workers, load.peak.peak_demand, load.max) == (5, 12, 15)
    assert load.connections == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("size", "overflow", "limit", "expected"),
    [
        ("10", "5", [(at("a"), 45.0)], (3, True, 15)),
        ("10", "-1", [], (1, False, None)),
        ("", "", [], (1, False, None)),
        ("9" * 20, "x", [(at("a"), 7.0)], (1, False, 7)),
    ],
)
def test_workers_are_how_often_a_pool_fits_into_the_limit(
    size: str, overflow: str, limit: Series, expected: tuple[int, bool, int | None]
) -> None:
    info: Series = [(at("a", size=size, overflow=overflow), 1.0)]
    peak: Series = [(at("a"), 9.0)]
    it = stored(
        pool_observer_info=info, db_client_connection_max=limit, pool_observer_peak_demand=peak
    )
    (pool,) = Questions(it.ask, 3600).pools().pools
    assert (pool.workers, pool.workers_known, pool.max) == expected


def test_services_whose_pools_have_the_same_name_are_apart() -> None:
    other = at("c") | {"job": "billing"}
    it = stored(pool_observer_peak_demand=[(at("a"), 9.0), (at("b"), 12.0), (other, 3.0)])
    api, billing = loads(Questions(it.ask, 3600).pools().pools)
    assert (billing.parts[0].source, billing.peak.peak_demand) == ("job=billing, instance=c", 3)
    assert (api.workers, api.peak.peak_demand) == (5, 12)


def test_the_window_and_the_selector_are_asked_for() -> None:
    it = stored()
    Questions(it.ask, 7200, 'job="api"').pools()
    assert 'increase(pool_observer_checkouts_total{job="api"}[7200s])' in it.asked
    assert 'max_over_time(pool_observer_peak_demand{job="api"}[7200s])' in it.asked
    assert all('{job="api"}' in expression for expression in it.asked)


def test_targets_that_are_gone_are_left_out() -> None:
    (pool,) = Questions(stored(pool_observer_peak_demand=[(at("b"), 1.0)]).ask, 60).pools().pools
    assert pool.source.endswith("instance=b")


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "x", ""])
def test_a_value_that_cannot_be_is_said(value: Any) -> None:
    it = stored(pool_observer_checkouts_total=[(at("a", holder="GET /"), value)])
    with pytest.raises(CannotMeasureError, match=r"figure that can be|no number"):
        Questions(it.ask, 3600).pools()


@pytest.mark.parametrize("url", ["http://prometheus:9090", "http://prometheus:9090/"])
def test_a_question_is_asked_at_the_query_api(url: str) -> None:
    assert query_url(url, "a+b") == "http://prometheus:9090/api/v1/query?query=a%2Bb"
