"""OpenTelemetry as a traced service has it: the SDK, and the span of a request around it all.

Nothing is exported. That is kind to whoever makes the most spans: in production, each of them
is serialised and sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Engine

from benchmarks.attached import Attach, Attached, peer_module


class Telemetry:
    """Providers of the SDK, which record all that they are told."""

    def __init__(self) -> None:
        trace = peer_module("opentelemetry.sdk.trace")
        metrics = peer_module("opentelemetry.sdk.metrics")
        export = peer_module("opentelemetry.sdk.metrics.export")
        self.spans_ended = 0
        # Theirs is measured in another process, where it is made to work; the table says so.
        logging.getLogger("pool_observer.opentelemetry.advice").disabled = True
        # A processor that only counts spans, though the SDK still makes and ends them.
        processor = trace.SpanProcessor()
        processor.on_end = self._note_end
        self.tracers = trace.TracerProvider()
        self.tracers.add_span_processor(processor)
        self._reader = export.InMemoryMetricReader()
        self.meters = metrics.MeterProvider([self._reader])

    def _note_end(self, span: object) -> None:
        self.spans_ended += 1

    def begin_request(self) -> None:
        """Be inside a span from now on, which is sampled and never ends."""
        tracer = self.tracers.get_tracer("benchmark")
        span = tracer.start_span("GET /items25/{item_id}")
        context = peer_module("opentelemetry.trace").set_span_in_context(span)
        peer_module("opentelemetry.context").attach(context)

    def collect(self) -> list[str]:
        """What a reader does every now and then; the names of the metrics it has found."""
        data = self._reader.get_metrics_data()
        return [
            metric.name
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]


Tell = Callable[[Engine, Telemetry], Attached]
"""Like `Attach`, for what tells OpenTelemetry of the engine."""


def in_a_request(tell: Tell) -> Attach:
    """Everything happens inside of one request's span."""

    def attach(engine: Engine) -> Attached:
        telemetry = Telemetry()
        telemetry.begin_request()
        return tell(engine, telemetry)

    return attach


def in_no_request(tell: Tell) -> Attach:
    """No span is current: each that is made begins a trace of its own."""
    return lambda engine: tell(engine, Telemetry())
