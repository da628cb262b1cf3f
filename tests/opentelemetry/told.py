"""What OpenTelemetry's SDK was told of pools and by them, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler

from pool_observer import OpenTelemetry
from pool_observer.opentelemetry.scope import SCOPE


class Told:
    """Providers for one test."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(sampler=sampler)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader])
        self.tracer = self.tracer_provider.get_tracer("test")

    def settings(self, **changed: Any) -> OpenTelemetry:
        """Everything to these providers, every wait and hold included."""
        wanted: dict[str, Any] = {
            "spans_above": 0,
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
        }
        return OpenTelemetry(**(wanted | changed))

    def spans(self, name: str | None = None) -> Sequence[ReadableSpan]:
        """Our spans so far."""
        return [
            span
            for span in self._exporter.get_finished_spans()
            if span.instrumentation_scope is not None
            and span.instrumentation_scope.name == SCOPE
            and name in (None, span.name)
        ]

    def metrics(self) -> dict[str, Any]:
        """Our metrics now, by name."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            if scope.scope.name == SCOPE
            for metric in scope.metrics
        }

    def shutdown(self) -> None:
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


def points(metric: Any) -> dict[Any, Any]:
    """The figures of a metric by their attributes."""
    return {
        tuple(sorted(point.attributes.items())): getattr(point, "value", None)
        or getattr(point, "sum", 0)
        for point in metric.data.data_points
    }
