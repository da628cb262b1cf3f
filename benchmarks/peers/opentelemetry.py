"""opentelemetry-instrumentation-sqlalchemy on the OpenTelemetry SDK, exporting nowhere.

That is kind to it: in production a batch processor serialises each span and sends it.
"""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import Engine

from benchmarks.attached import Attach, Attached, peer_module

FIRST_UNSUPPORTED = (2, 1)


def attach_with(*, pool_metric: bool) -> Attach:
    """Spans for connects and statements, with or without its one metric of the pool."""

    def attach(engine: Engine) -> Attached:
        trace = peer_module("opentelemetry.sdk.trace")
        instrumentor = peer_module("opentelemetry.instrumentation.sqlalchemy")
        tracers = trace.TracerProvider()
        # A processor that does nothing with a span, though the SDK still makes and ends it.
        tracers.add_span_processor(trace.SpanProcessor())
        if pool_metric:
            metrics = peer_module("opentelemetry.sdk.metrics")
            export = peer_module("opentelemetry.sdk.metrics.export")
            meters = metrics.MeterProvider([export.InMemoryMetricReader()])
        else:
            meters = peer_module("opentelemetry.metrics").NoOpMeterProvider()
        # On a version outside its declared range instrument() would silently do nothing.
        instrumentor.SQLAlchemyInstrumentor().instrument(
            engine=engine, tracer_provider=tracers, meter_provider=meters, skip_dep_check=True
        )
        version = tuple(int(part) for part in sqlalchemy.__version__.split(".")[:2])
        return Attached(
            remark="declares sqlalchemy < 2.1 and does nothing on 2.1; forced here with "
            "skip_dep_check=True"
            if version >= FIRST_UNSUPPORTED
            else ""
        )

    return attach
