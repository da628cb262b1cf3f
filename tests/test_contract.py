"""The names that other people's dashboards and alerts rely on, written down once more."""

from __future__ import annotations

import re

import pytest

from pool_observer.buckets import USE_BOUNDS, WAIT_BOUNDS
from pool_observer.contract import CONTRACT
from pool_observer.metric import Kind, Metric
from pool_observer.prometheus_names import label_names, series_name
from pool_observer.state import Distribution, HolderTotals, PoolState, PoolTotals

PROMISED = {
    "db_client_connection_count": ("gauge", "db_client_connection_state"),
    "db_client_connection_max": ("gauge", ""),
    "db_client_connection_idle_max": ("gauge", ""),
    "db_client_connection_idle_min": ("gauge", ""),
    "db_client_connection_pending_requests": ("gauge", ""),
    "db_client_connection_timeouts_total": ("counter", "holder"),
    "db_client_connection_create_time_seconds": ("histogram", ""),
    "db_client_connection_wait_time_seconds": ("histogram", "holder"),
    "db_client_connection_use_time_seconds": ("histogram", "holder"),
    "pool_observer_info": (
        "gauge",
        "pool_class dialect driver size overflow timeout recycle pre_ping",
    ),
    "pool_observer_checkouts_total": ("counter", "holder"),
    "pool_observer_returns_total": ("counter", "holder how"),
    "pool_observer_activity_seconds_total": ("counter", "holder activity"),
    "pool_observer_phase_seconds_total": ("counter", "holder phase"),
    "pool_observer_queue_seconds_total": ("counter", ""),
    "pool_observer_connect_seconds_total": ("counter", ""),
    "pool_observer_ping_seconds_total": ("counter", ""),
    "pool_observer_blamed_wait_seconds_total": ("counter", "holder"),
    "pool_observer_utilization_ratio": ("gauge", ""),
    "pool_observer_peak_demand": ("gauge", ""),
    "pool_observer_full_seconds_total": ("counter", ""),
    "pool_observer_full_total": ("counter", ""),
    "pool_observer_oldest_hold_seconds": ("gauge", ""),
    "pool_observer_oldest_wait_seconds": ("gauge", ""),
    "pool_observer_overdue_connections": ("gauge", "holder"),
    "pool_observer_overdue_total": ("counter", "holder"),
    "pool_observer_nested_checkouts_total": ("counter", "holder"),
    "pool_observer_connections_opened_total": ("counter", ""),
    "pool_observer_connections_closed_total": ("counter", ""),
    "pool_observer_connections_invalidated_total": ("counter", ""),
    "pool_observer_event_loop_lag_seconds": ("gauge", ""),
    "pool_observer_internal_errors_total": ("counter", ""),
    "pool_observer_dropped_events_total": ("counter", ""),
    "pool_observer_ledger_drift": ("gauge", ""),
    "pool_observer_server_up": ("gauge", ""),
    "pool_observer_server_probe_failures_total": ("counter", ""),
    "pool_observer_server_pooler": ("gauge", ""),
    "pool_observer_server_sessions": ("gauge", "owner state"),
    "pool_observer_server_max_connections": ("gauge", ""),
    "pool_observer_server_reserved_connections": ("gauge", ""),
    "pool_observer_server_longest_transaction_seconds": ("gauge", "owner"),
    "pool_observer_server_holder_sessions": ("gauge", "holder state"),
    "pool_observer_server_holder_transaction_seconds": ("gauge", "holder"),
    "pool_observer_server_holder_blocked": ("gauge", "holder"),
    "pool_observer_server_holder_blocks": ("gauge", "holder"),
}


def test_every_metric_is_as_promised() -> None:
    assert {
        series_name(metric): (metric.kind.value, " ".join(label_names(metric)[1:]))
        for metric in CONTRACT
    } == PROMISED


def test_opentelemetry_has_as_many_names() -> None:
    assert len({metric.name for metric in CONTRACT}) == len(CONTRACT)


def test_all_nine_of_the_semantic_conventions_are_there() -> None:
    standard = [metric for metric in CONTRACT if metric.name.startswith("db.client.connection.")]
    assert len(standard) == 9


def test_every_metric_has_the_pool_first() -> None:
    assert {label_names(metric)[0] for metric in CONTRACT} == {"db_client_connection_pool_name"}


@pytest.mark.parametrize("metric", CONTRACT, ids=lambda metric: metric.name)
def test_every_help_is_a_sentence_a_stranger_understands(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z].{20,}(\.|1\.)", metric.help)
    assert metric.help.isprintable()


def test_what_grows_is_counted_in_seconds_or_things() -> None:
    assert {metric.unit for metric in CONTRACT if metric.kind is Kind.HISTOGRAM} == {"s"}


def test_the_buckets_that_were_promised() -> None:
    assert {0.001, 0.5, 1, 2, 5, 10, 30, 60} <= set(WAIT_BOUNDS)
    assert {0.5, 2, 10, 30} <= set(USE_BOUNDS)
    assert USE_BOUNDS[-1] == 600


def test_histograms_have_the_bounds_they_count_by() -> None:
    totals = PoolTotals(holders={"GET /": HolderTotals()})
    state = PoolState(
        name="orders", at=0, used=0, idle=0, waiting=0, max=None, utilization=None, drift=None,
        open_holds=(), open_waits=(), totals=totals,
    )  # fmt: skip
    for metric in CONTRACT:
        if metric.kind is Kind.HISTOGRAM:
            ((_, distribution),) = metric.read(state)
            assert isinstance(distribution, Distribution)
            assert distribution.bounds == metric.bounds
