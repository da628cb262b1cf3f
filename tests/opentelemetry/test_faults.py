"""Providers that raise, block or have gone: the application does not notice."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from pool_observer import OpenTelemetry, PoolObserver
from tests.conftest import Observe
from tests.opentelemetry.told import Told
from tests.support import FakeDatabase, wait_until


class Raising:
    """Does what it stands for, but for one method, which raises."""

    def __init__(self, real: Any, method: str) -> None:
        self._real = real
        self._method = method

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            raise ZeroDivisionError(name)
        found = getattr(self._real, name)
        if name.startswith(("get_", "create_", "start_")):
            return lambda *args, **kwargs: Raising(found(*args, **kwargs), self._method)
        return found


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("get_meter", "making OpenTelemetry's instruments"),
        ("create_observable_gauge", "making OpenTelemetry's instruments"),
        ("create_histogram", "making OpenTelemetry's instruments"),
        ("record", "DurationRecorder.wait_ended"),
        ("get_tracer", "making OpenTelemetry's tracer"),
        ("start_span", "SpanRecorder.wait_ended"),
        ("is_recording", "SpanRecorder.wait_ended"),
        ("end", "SpanRecorder.wait_ended"),
    ],
)
def test_whatever_raises_is_counted_and_nobody_notices(
    database: FakeDatabase, observed: Observe, told: Told, method: str, place: str
) -> None:
    engine = database.engine()
    observer = observed(
        engine,
        name="orders",
        opentelemetry=OpenTelemetry(
            tracer_provider=Raising(told.tracer_provider, method),
            meter_provider=Raising(told.meter_provider, method),
            spans_above=0,
        ),
    )
    with engine.connect():
        assert observer.snapshot().used == 1
    observer.deliver()
    errors = observer.snapshot().totals.internal_errors
    assert errors[place] == 1
    # What can be told is told all the same.
    if place.startswith("making") and "tracer" in place:
        assert "db.client.connection.use_time" in told.metrics()
    elif "making" in place:
        assert len(told.spans()) == 2


class Blocking(SpanExporter):
    """A network that does not answer."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.exported: list[str] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.entered.set()
        assert self.go_on.wait(60)
        self.exported += [span.name for span in spans if isinstance(span, ReadableSpan)]
        return SpanExportResult.SUCCESS


@pytest.fixture
def blocking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocking]:
    # Nobody waits for who cannot be waited for: here it would take until the test's end.
    for module in ("delivery", "observer", "opentelemetry.instruments", "opentelemetry.at_exit"):
        monkeypatch.setattr(f"pool_observer.{module}.PATIENCE", 0)
    exporter = Blocking()
    yield exporter
    exporter.go_on.set()


def stuck(
    database: FakeDatabase, observed: Observe, blocking: Blocking, meter_provider: Any
) -> tuple[PoolObserver, Callable[[], None]]:
    """An observer whose messenger does not come back from exporting a span."""
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(blocking))
    engine = database.engine()
    settings = OpenTelemetry(
        tracer_provider=tracer_provider, meter_provider=meter_provider, spans_above=0
    )
    observer = observed(engine, name="orders", opentelemetry=settings)
    engine.connect().close()
    observer.catch_up()
    wait_until(blocking.entered.is_set)
    return observer, lambda: engine.connect().close()


def test_an_exporter_that_blocks_holds_up_no_checkout_and_no_figure(
    database: FakeDatabase, observed: Observe, blocking: Blocking, told: Told
) -> None:
    observer, use = stuck(database, observed, blocking, told.meter_provider)
    for _ in range(10):
        use()
    assert observer.snapshot().totals.holders["unattributed"].checkouts == 11
    # A reader gets what there is; durations it will hear of the next time.
    assert "pool_observer.checkouts" in told.metrics()
    observer.close()
    blocking.go_on.set()
    wait_until(lambda: len(blocking.exported) == 22)


def test_another_pool_is_observed_meanwhile(
    database: FakeDatabase, observed: Observe, blocking: Blocking, told: Told
) -> None:
    stuck(database, observed, blocking, told.meter_provider)
    other = FakeDatabase().engine()
    observer = observed(other, name="users", opentelemetry=told.settings())
    with other.connect():
        assert observer.snapshot().used == 1
    observer.close()


def test_a_collection_and_a_recording_do_not_wait_for_each_other(
    database: FakeDatabase, observed: Observe, blocking: Blocking
) -> None:
    # The reader has OpenTelemetry's locks while it asks us, and we have ours while we record.
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    stuck(database, observed, blocking, provider)
    collecting = threading.Thread(target=reader.collect)
    collecting.start()
    collecting.join(60)
    assert not collecting.is_alive()
    blocking.go_on.set()
    provider.shutdown()


def test_providers_that_are_shut_down_first_are_no_matter(
    database: FakeDatabase, observed: Observe, told: Told
) -> None:
    engine = database.engine()
    observer = observed(engine, name="orders", opentelemetry=told.settings())
    told.tracer_provider.shutdown()
    told.meter_provider.shutdown()
    with engine.connect():
        pass
    observer.deliver()
    assert observer.snapshot().totals.internal_errors == {}
    observer.close()


def test_a_pool_that_cannot_be_read_is_left_out_of_a_collection(
    database: FakeDatabase, observed: Observe, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = observed(database.engine(), name="orders", opentelemetry=told.settings())
    observed(FakeDatabase().engine(), name="users", opentelemetry=told.settings())
    with monkeypatch.context() as patched:
        patched.setattr(broken, "snapshot", lambda: 1 / 0)
        metric = told.metrics()["db.client.connection.pending_requests"]
        assert len(metric.data.data_points) == 1
    assert broken.snapshot().totals.internal_errors == {"telling OpenTelemetry": 1}


def test_we_do_not_keep_a_provider_that_nobody_else_does(
    database: FakeDatabase, observed: Observe
) -> None:
    provider = MeterProvider([InMemoryMetricReader()])
    settings = OpenTelemetry(meter_provider=provider, spans_above=None)
    observed(database.engine(), name="orders", opentelemetry=settings).close()
    provider.shutdown()
    known = weakref.ref(provider)
    del provider, settings
    gc.collect()
    assert known() is None
