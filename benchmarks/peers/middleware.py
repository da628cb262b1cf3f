"""ASGI middleware of other tools, each attached as its documentation says, with its defaults."""

from __future__ import annotations

from typing import Any

from benchmarks.attached import peer_module
from benchmarks.requests_subjects import TEMPLATE, Subject, fastapi_app
from pool_observer.asgi_types import Scope


def instrumentator() -> Subject:
    """prometheus-fastapi-instrumentator with a registry of its own."""
    app = fastapi_app()
    registry = peer_module("prometheus_client").CollectorRegistry()
    tool = peer_module("prometheus_fastapi_instrumentator")
    tool.Instrumentator(registry=registry).instrument(app)
    return Subject(app, lambda: _total(registry, "http_requests_total"))


def starlette_exporter() -> Subject:
    """starlette_exporter, which knows only the global registry."""
    app = fastapi_app()
    app.add_middleware(peer_module("starlette_exporter").PrometheusMiddleware)
    registry = peer_module("prometheus_client").REGISTRY
    return Subject(app, lambda: _total(registry, "starlette_requests_total"))


def _total(registry: Any, name: str) -> float:
    """What a counter has reached for the route that is requested."""
    samples = (sample for family in registry.collect() for sample in family.samples)
    return float(
        sum(
            sample.value
            for sample in samples
            if sample.name == name and TEMPLATE in sample.labels.values()
        )
    )


def opentelemetry_sdk() -> Subject:
    """Every span is recorded and every metric is kept, and nothing is exported."""
    trace = peer_module("opentelemetry.sdk.trace")
    sampling = peer_module("opentelemetry.sdk.trace.sampling")
    metrics = peer_module("opentelemetry.sdk.metrics")
    reader = peer_module("opentelemetry.sdk.metrics.export").InMemoryMetricReader()
    tracers = trace.TracerProvider(sampler=sampling.ALWAYS_ON)
    # A processor that does nothing with a span, though the SDK still makes and ends it.
    tracers.add_span_processor(trace.SpanProcessor())
    app = _with_opentelemetry(tracers, metrics.MeterProvider([reader]))
    current_span = peer_module("opentelemetry.trace").get_current_span
    spans = 0

    def note_span() -> None:
        nonlocal spans
        spans += current_span().is_recording()

    def recorded() -> float:
        data = reader.get_metrics_data()
        points = (
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name in ("http.server.duration", "http.server.request.duration")
            for point in metric.data.data_points
        )
        return float(min(spans, sum(point.count for point in points)))

    return Subject(app, recorded, note_span)


def opentelemetry_no_op() -> Subject:
    """The instrumentation alone: it is there, and tracing and metrics are switched off."""
    trace = peer_module("opentelemetry.trace")
    metrics = peer_module("opentelemetry.metrics")
    app = _with_opentelemetry(trace.NoOpTracerProvider(), metrics.NoOpMeterProvider())
    seen = 0

    def see(span: object, scope: Scope) -> None:
        nonlocal seen
        seen += 1

    def recorded() -> float:
        # Set only now, since the tool calls the hook in every request. Its middleware is the
        # second: around it, it puts another one of Starlette's for errors.
        app.middleware_stack.app.server_request_hook = see
        return seen

    return Subject(app, recorded)


def _with_opentelemetry(tracers: Any, meters: Any) -> Any:
    app = fastapi_app()
    instrumentation = peer_module("opentelemetry.instrumentation.fastapi")
    instrumentation.FastAPIInstrumentor.instrument_app(
        app, tracer_provider=tracers, meter_provider=meters
    )
    return app
