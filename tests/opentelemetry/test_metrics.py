"""What OpenTelemetry is told is what Prometheus is shown."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import OpenTelemetry, holding, observe
from pool_observer.contract import CONTRACT
from pool_observer.metric import Across, Kind
from pool_observer.opentelemetry import durations
from pool_observer.opentelemetry import instruments as module
from pool_observer.opentelemetry.scope import SCOPE
from tests.conftest import Observe
from tests.prometheus.scraped import Scraped
from tests.support import FakeClock, FakeDatabase, wait_until

Providers = Callable[..., MeterProvider]


@pytest.fixture
def providers() -> Iterator[Providers]:
    """Meter providers that are shut down when the test is over."""
    made: list[MeterProvider] = []

    def provider(*readers: Any) -> MeterProvider:
        made.append(MeterProvider(metric_readers=readers))
        return made[-1]

    yield provider
    for each in made:
        each.shutdown()


def to(provider: Any) -> OpenTelemetry:
    """Metrics only, and to this provider."""
    return OpenTelemetry(meter_provider=provider, spans_above=None)


def collected(reader: InMemoryMetricReader) -> dict[str, Any]:
    """The metrics of our scope by name."""
    data = reader.get_metrics_data()
    if data is None:
        return {}
    return {
        metric.name: metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        if scope.scope.name == SCOPE
        for metric in scope.metrics
    }


def points(metric: Any) -> dict[Any, Any]:
    """The points of a metric by their attributes."""
    return {
        tuple(sorted(point.attributes.items())): getattr(point, "value", None)
        or getattr(point, "sum", 0)
        for point in metric.data.data_points
    }


def use(engine: Any) -> None:
    """A bit of everything."""
    with holding("POST /chat"), ExitStack() as held:
        for _ in range(3):
            connection = held.enter_context(engine.connect())
            connection.execute(text("SELECT 1"))
        with pytest.raises(PoolTimeoutError), holding("GET /health"):
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


def test_both_ways_have_the_same_names_labels_and_figures(
    database: FakeDatabase, observed: Observe, providers: Providers
) -> None:
    ours = CollectorRegistry()
    reader = PrometheusMetricReader()  # on the global registry: older ones know no other
    engine = database.engine(pool_size=2, max_overflow=1, pool_timeout=0)
    engine.dispose()
    observer = observed(
        engine,
        name="orders",
        registry=ours,
        opentelemetry=to(providers(reader)),
    )
    observer._ledger.clock = clock = FakeClock()
    observer._ledger._epoch = 0
    clock.advance(1)
    database.work = lambda what: clock.advance(0.25)
    use(engine)
    expected, told = comparable(ours), comparable(REGISTRY)
    # Who has only waited has no holds to be told of yet; a histogram is born with its first.
    unborn = {key for key in expected if key not in told}
    assert {expected[key] for key in unborn} <= {0.0}
    assert {key[0].rsplit("_", 1)[0] for key in unborn} <= {"db_client_connection_use_time_seconds"}
    assert told == {key: expected[key] for key in expected if key not in unborn}


def test_every_metric_is_told_with_its_unit_and_kind(
    database: FakeDatabase, observed: Observe, providers: Providers
) -> None:
    reader = InMemoryMetricReader()
    engine = database.engine(pool_size=2, max_overflow=1, pool_timeout=0)
    engine.dispose()
    observed(engine, name="orders", opentelemetry=to(providers(reader)))
    use(engine)
    found = collected(reader)
    absent = {"pool_observer.event_loop_lag"}
    assert set(found) == {metric.name for metric in CONTRACT} - absent
    for metric in CONTRACT:
        if metric.name in absent:
            continue
        told = found[metric.name]
        assert (told.unit, told.description) == (metric.unit, metric.help)
        kind = type(told.data).__name__
        if metric.kind is Kind.HISTOGRAM:
            assert kind == "Histogram"
            assert {tuple(point.explicit_bounds) for point in told.data.data_points} == {
                metric.bounds
            }
        elif metric.kind is Kind.COUNTER or metric.across is Across.SUM:
            assert kind == "Sum"
            assert told.data.is_monotonic == (metric.kind is Kind.COUNTER)
        else:
            assert kind == "Gauge"


def test_a_collection_is_of_the_instant(
    database: FakeDatabase, observed: Observe, providers: Providers
) -> None:
    reader = InMemoryMetricReader()
    engine = database.engine()
    observed(engine, name="orders", opentelemetry=to(providers(reader)))
    for number in range(1, 4):
        with holding("GET /"), engine.connect():
            pass
        found = collected(reader)
        (point,) = found["db.client.connection.use_time"].data.data_points
        assert point.count == number
        assert point.attributes == {
            "db.client.connection.pool.name": "orders",
            "holder": "GET /",
        }
        assert sum(points(found["pool_observer.checkouts"]).values()) == number


def test_several_pools_share_the_instruments(
    observed: Observe, providers: Providers, caplog: pytest.LogCaptureFixture
) -> None:
    reader = InMemoryMetricReader()
    provider = providers(reader)
    engines = FakeDatabase().engine(), FakeDatabase().engine()
    first = observed(engines[0], name="orders", opentelemetry=to(provider))
    observed(engines[1], name="users", opentelemetry=to(provider))
    waiting = points(collected(reader)["db.client.connection.pending_requests"])
    assert len(waiting) == 2
    first.close()
    waiting = points(collected(reader)["db.client.connection.pending_requests"])
    assert list(waiting) == [(("db.client.connection.pool.name", "users"),)]
    assert caplog.records == []  # such as of instruments made twice


def test_an_engine_that_is_dropped_is_told_of_no_more(providers: Providers) -> None:
    reader = InMemoryMetricReader()
    provider = providers(reader)

    def observe_and_forget() -> None:
        observe(
            FakeDatabase().engine(),
            name="dropped",
            opentelemetry=to(provider),
        )

    observe_and_forget()
    gc.collect()
    assert collected(reader) == {}


def test_the_global_provider_is_the_default(
    database: FakeDatabase, observed: Observe, providers: Providers, monkeypatch: Any
) -> None:
    reader = InMemoryMetricReader()
    provider = providers(reader)
    monkeypatch.setattr("opentelemetry.metrics.get_meter_provider", lambda: provider)
    monkeypatch.setattr("opentelemetry.metrics._internal.get_meter_provider", lambda: provider)
    monkeypatch.setattr(module, "process_instruments", module.InstrumentsByProvider())
    monkeypatch.setattr(
        "pool_observer.opentelemetry.exporting.process_instruments", module.process_instruments
    )
    observed(database.engine(), name="orders", opentelemetry=True)
    assert "pool_observer.checkouts" not in collected(reader)  # nobody has asked for one yet
    assert "db.client.connection.count" in collected(reader)


# -- providers that misbehave ------------------------------------------------------------------


class Raising:
    """A provider whose every method raises."""

    def get_meter(self, *_: Any, **__: Any) -> Any:
        raise ZeroDivisionError


def test_a_provider_that_raises_is_counted(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine, name="orders", opentelemetry=to(Raising()))
    with engine.connect():
        pass
    errors = observer.snapshot().totals.internal_errors
    assert errors == {"making OpenTelemetry's instruments": 1}


def test_a_provider_that_is_shut_down_first_is_no_matter(
    database: FakeDatabase, observed: Observe, providers: Providers
) -> None:
    provider = providers(InMemoryMetricReader())
    engine = database.engine()
    observer = observed(engine, name="orders", opentelemetry=to(provider))
    provider.shutdown()
    with engine.connect():
        pass
    observer.deliver()
    assert observer.snapshot().totals.internal_errors == {}


def test_a_histogram_that_blocks_holds_up_no_checkout(
    database: FakeDatabase, observed: Observe, providers: Providers, monkeypatch: Any
) -> None:
    go_on, blocked = threading.Event(), threading.Event()

    def block(*_: Any) -> None:
        blocked.set()
        go_on.wait(30)

    monkeypatch.setattr(durations.DurationRecorder, "wait_ended", block)
    engine = database.engine()
    provider = providers(InMemoryMetricReader())
    observer = observed(engine, name="orders", opentelemetry=to(provider))
    with engine.connect():
        pass
    wait_until(blocked.is_set)
    for _ in range(10):
        with engine.connect():
            assert observer.snapshot().used == 1
    go_on.set()
