"""opentelemetry-instrumentation-sqlalchemy on the OpenTelemetry SDK, exporting nowhere."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import Engine

from benchmarks.attached import Attached, peer_module
from benchmarks.telemetry import Telemetry, Tell

FIRST_UNSUPPORTED = (2, 1)


def instrumented(*, pool_metric: bool) -> Tell:
    """Spans for connects and statements, with or without its one metric of the pool."""

    def tell(engine: Engine, telemetry: Telemetry) -> Attached:
        instrumentor = peer_module("opentelemetry.instrumentation.sqlalchemy")
        meters = telemetry.meters
        if not pool_metric:
            meters = peer_module("opentelemetry.metrics").NoOpMeterProvider()
        # On a version outside its declared range instrument() would silently do nothing.
        instrumentor.SQLAlchemyInstrumentor().instrument(
            engine=engine,
            tracer_provider=telemetry.tracers,
            meter_provider=meters,
            skip_dep_check=True,
        )

        def check() -> None:
            if not telemetry.spans_ended:
                raise RuntimeError("made no span")
            if pool_metric and "db.client.connections.usage" not in telemetry.collect():
                raise RuntimeError("recorded no metric")

        version = tuple(int(part) for part in sqlalchemy.__version__.split(".")[:2])
        return Attached(
            check=check,
            remark="declares sqlalchemy < 2.1 and does nothing on 2.1; forced here with "
            "skip_dep_check=True"
            if version >= FIRST_UNSUPPORTED
            else "",
        )

    return tell
