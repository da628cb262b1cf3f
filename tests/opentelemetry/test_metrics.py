"""What OpenTelemetry is told is what Prometheus is shown."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from typing import Any

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, View
from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import OpenTelemetry, PoolState, holding, observe
from pool_observer.contract import CONTRACT
from pool_observer.metric import Across, Kind, Metric
from pool_observer.opentelemetry.exporting import export
from pool_observer.opentelemetry.instruments import Instruments, process_instruments
from pool_observer.prometheus.exporting import export as export_to_prometheus
from pool_observer.server import ServerLimits, ServerState
from pool_observer.server_metrics import SERVER_METRICS
from tests.conftest import Observe
from tests.opentelemetry.told import Told, points
from tests.prometheus.scraped import Scraped
from tests.support import UNPROBED, FakeClock, FakeDatabase, observer_of

POOL = "db.client.connection.pool.name"


def use(engine: Any) -> None:
    """A bit of everything."""
    with holding("POST /chat"), ExitStack() as held:
        for _ in range(3):
            connection = held.enter_context(engine.connect())
            connection.execute(text("SELECT 1"))
        with pytest.raises(PoolTimeoutError), holding("GET /late"):
            engine.connect()
    with holding("GET /health"), engine.connect() as connection:
        connection.invalidate()
    with holding("GET /lost"):
        lost = engine.raw_connection()
        lost.detach()
        lost.close()


def comparable(registry: CollectorRegistry) -> dict[Any, float]:
    """All series, but for what the exporter adds to each."""
    return {
        (
            sample.name,
            *sorted(item for item in sample.labels.items() if not item[0].startswith("otel_")),
        ): sample.value
        for sample in Scraped.of(registry).samples
        if sample.name.startswith(("db_client_", "pool_observer_"))
    }


def test_both_ways_have_the_same_names_labels_and_figures(database: FakeDatabase) -> None:
    clock = FakeClock(1)
    engine = database.engine(pool_size=2, max_overflow=1, pool_timeout=0)
    engine.dispose()
    database.work = lambda what: clock.advance(0.25)
    ours = CollectorRegistry()
    reader = PrometheusMetricReader()  # on the global registry: older ones know no other
    provider = MeterProvider([reader])
    try:
        with observer_of(engine, name="orders", clock=clock, leak_after=1) as observer:
            export_to_prometheus(observer, ours)
            export(observer, OpenTelemetry(meter_provider=provider, spans_above=None))
            use(engine)
            expected, told = comparable(ours), comparable(REGISTRY)
    finally:
        provider.shutdown()
    # Who has only waited has no holds to be told of yet; a histogram is born with its first.
    unborn = {key for key in expected if key not in told}
    assert {expected[key] for key in unborn} == {0.0}
    assert {key[0].rsplit("_", 1)[0] for key in unborn} <= {"db_client_connection_use_time_seconds"}
    assert told == {key: expected[key] for key in expected if key not in unborn}
    assert sum(told.values()) > 50  # and there was something to tell


def test_every_metric_is_told_with_its_unit_and_kind(
    database: FakeDatabase, observed: Observe, told: Told
) -> None:
    engine = database.engine(pool_size=2, max_overflow=1, pool_timeout=0)
    engine.dispose()
    observed(engine, name="orders", opentelemetry=told.settings())
    use(engine)
    found = told.metrics()
    absent = {"pool_observer.event_loop_lag"}  # there is no loop
    assert set(found) == {metric.name for metric in UNPROBED} - absent
    for metric in UNPROBED:
        if metric.name in absent:
            continue
        each = found[metric.name]
        assert (each.unit, each.description) == (metric.unit, metric.help)
        kind = type(each.data).__name__
        if metric.kind is Kind.HISTOGRAM:
            assert kind == "Histogram"
            bounds = {tuple(point.explicit_bounds) for point in each.data.data_points}
            assert bounds == {metric.bounds}
        elif metric.kind is Kind.COUNTER or metric.across is Across.SUM:
            assert kind == "Sum"
            assert each.data.is_monotonic == (metric.kind is Kind.COUNTER)
        else:
            assert kind == "Gauge"


def test_what_the_server_says_is_told_as_well(
    database: FakeDatabase, observed: Observe, told: Told
) -> None:
    observer = observed(database.engine(), name="orders", opentelemetry=told.settings())
    observer.show_server(lambda: ServerState(up=True, at=1.0, limits=ServerLimits(100, 3)))
    found = told.metrics()
    assert {
        metric.name: found[metric.name].data.data_points[0].value
        for metric in SERVER_METRICS
        if metric.name in found and found[metric.name].data.data_points
    } == {
        "pool_observer.server.up": 1.0,
        "pool_observer.server.probe_failures": 0,
        "pool_observer.server.pooler": 0.0,
        "pool_observer.server.max_connections": 100,
        "pool_observer.server.reserved_connections": 3,
    }


def test_a_collection_is_of_the_instant(
    database: FakeDatabase, observed: Observe, told: Told
) -> None:
    engine = database.engine()
    observed(engine, name="orders", opentelemetry=told.settings())
    for number in range(1, 4):
        with holding("GET /"), engine.connect():
            pass
        found = told.metrics()
        (point,) = found["db.client.connection.use_time"].data.data_points
        assert point.count == number
        assert point.attributes == {POOL: "orders", "holder": "GET /"}
        assert sum(points(found["pool_observer.checkouts"]).values()) == number


def test_all_figures_of_a_collection_are_of_the_same_instant(
    database: FakeDatabase, observed: Observe, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = observed(database.engine(), name="orders", opentelemetry=told.settings())
    told.metrics()
    looked: list[PoolState] = []
    snapshot = observer.snapshot

    def look() -> PoolState:
        looked.append(snapshot())
        return looked[-1]

    monkeypatch.setattr(observer, "snapshot", look)
    for number in range(1, 4):
        told.metrics()
        assert len(looked) == number


def test_whatever_is_asked_first_begins_a_collection(
    database: FakeDatabase, observed: Observe, told: Told
) -> None:
    observer = observed(database.engine(), name="orders")
    instruments = Instruments(told.meter_provider)
    instruments.observers.add(observer)

    def ask(metric: Metric) -> list[PoolState]:
        list(instruments._read(metric, CallbackOptions()))
        return instruments._states

    first, second = CONTRACT[0], CONTRACT[4]
    begun = ask(second)
    assert ask(first) is begun
    again = ask(second)
    assert again is not begun
    assert ask(first) is again


def test_a_view_that_drops_a_metric_takes_nothing_else_along(
    database: FakeDatabase, observed: Observe
) -> None:
    reader = InMemoryMetricReader()
    drop = View(instrument_name=CONTRACT[0].name, aggregation=DropAggregation())
    provider = MeterProvider([reader], views=[drop])
    engine = database.engine()
    observed(engine, name="orders", opentelemetry=OpenTelemetry(meter_provider=provider))
    try:
        for number in range(1, 3):
            engine.connect().close()
            data = reader.get_metrics_data()
            assert data is not None
            (scope,) = data.resource_metrics[0].scope_metrics
            found = {metric.name: metric for metric in scope.metrics}
            assert CONTRACT[0].name not in found
            assert list(points(found["pool_observer.checkouts"]).values()) == [number]
    finally:
        provider.shutdown()


def test_durations_know_their_trace(database: FakeDatabase, observed: Observe, told: Told) -> None:
    engine = database.engine()
    observed(engine, name="orders", opentelemetry=told.settings())
    with told.tracer.start_as_current_span("request") as request:
        engine.connect().close()
    found = told.metrics()
    for name in ("wait_time", "use_time"):
        (point,) = found[f"db.client.connection.{name}"].data.data_points
        (exemplar,) = point.exemplars
        assert exemplar.span_id == request.get_span_context().span_id
        assert exemplar.trace_id == request.get_span_context().trace_id


def test_several_pools_share_the_instruments(
    observed: Observe, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    engines = FakeDatabase().engine(), FakeDatabase().engine()
    first = observed(engines[0], name="orders", opentelemetry=told.settings())
    observed(engines[1], name="users", opentelemetry=told.settings())
    assert len(points(told.metrics()["db.client.connection.pending_requests"])) == 2
    first.close()
    waiting = points(told.metrics()["db.client.connection.pending_requests"])
    assert list(waiting) == [((POOL, "users"),)]
    assert caplog.records == []  # such as of instruments made twice
    assert len(process_instruments.on(told.meter_provider).observers) == 1


def test_an_engine_that_is_dropped_is_told_of_no_more(told: Told) -> None:
    def observe_and_forget() -> None:
        observe(FakeDatabase().engine(), name="dropped", opentelemetry=told.settings())

    for _ in range(3):
        observe_and_forget()
        gc.collect()
        assert told.metrics() == {}
    assert len(process_instruments.on(told.meter_provider).observers) == 0
