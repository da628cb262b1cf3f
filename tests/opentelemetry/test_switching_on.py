"""`observe(..., opentelemetry=...)`: which providers it finds, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pool_observer import OpenTelemetry, observe
from tests.support import FakeDatabase

GLOBAL = """
import gc, sys
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import create_engine
from pool_observer import OpenTelemetry, observe

def set_up():
    global reader, exporter, provider
    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracer_provider)

first, second, third = (create_engine("sqlite://") for _ in range(3))
if sys.argv[1] == "before":
    set_up()
everything = OpenTelemetry(spans_above=0)
observers = [observe(first, name="first", opentelemetry=everything)]
if sys.argv[1] == "after":
    set_up()
observers.append(observe(second, name="second", opentelemetry=everything))
# The same provider, named: its instruments are not made again.
everything = OpenTelemetry(meter_provider=provider, spans_above=0)
observers.append(observe(third, name="third", opentelemetry=everything))
for engine in (first, second, third):
    engine.connect().close()
for observer in observers:
    observer.deliver()
data = reader.get_metrics_data()
names = [
    (metric.name, point.attributes["db.client.connection.pool.name"])
    for resource in data.resource_metrics
    for scope in resource.scope_metrics
    for metric in scope.metrics
    for point in metric.data.data_points
    if metric.name == "pool_observer.checkouts"
]
print(sorted(names), len(exporter.get_finished_spans()))
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_global_providers_are_the_default_whenever_they_are_set(when: str) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", GLOBAL, when],
        check=True,
        capture_output=True,
        text=True,
    )
    names = [("pool_observer.checkouts", name) for name in ("first", "second", "third")]
    assert run.stdout.strip() == f"{names} 6"
    assert "already" not in run.stderr  # no instrument is made twice


@pytest.mark.parametrize("spans_above", [-1, float("nan"), "1", True])
def test_a_threshold_that_is_none_is_refused(spans_above: Any) -> None:
    with pytest.raises(ValueError, match="0 for all spans or None for none"):
        OpenTelemetry(spans_above=spans_above)


def test_anything_else_is_refused(database: FakeDatabase) -> None:
    with pytest.raises(TypeError, match=r"True, False or pool_observer.OpenTelemetry"):
        observe(database.engine(), opentelemetry="yes")  # type: ignore[arg-type]


WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from sqlalchemy import create_engine
from pool_observer import OpenTelemetry, observe
engine = create_engine("sqlite://")
with observe(engine):
    engine.connect().close()
try:
    observe(engine, opentelemetry=OpenTelemetry())
except ImportError as error:
    print(error)
observe(engine).close()  # and it is not observed by half
"""


def test_without_opentelemetry_it_says_what_to_install() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == (
        "observe(engine, opentelemetry=...) needs OpenTelemetry, and there is no opentelemetry: "
        'pip install "pool-observer[otel]"'
    )
