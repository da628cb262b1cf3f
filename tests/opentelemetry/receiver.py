"""What an OpenTelemetry collector is to a service: takes OTLP over HTTP, and keeps it decoded."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

Attributes = dict[str, Any]


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it came over the wire."""

    scope: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    """Empty for the first of its trace."""
    start_ns: int
    end_ns: int
    attributes: Attributes
    events: list[tuple[str, int]]
    """What they are called, and when they were."""
    status: int
    status_message: str

    @property
    def event_names(self) -> list[str]:
        return [name for name, _ in self.events]


@dataclass(frozen=True)
class ReceivedPoint:
    """One series of a metric, with what its kind has."""

    attributes: Attributes
    value: float | None
    """Of sums and gauges."""
    counts: tuple[int, ...] = ()
    bounds: tuple[float, ...] = ()
    count: int = 0
    sum: float = 0.0
    exemplars: tuple[tuple[str, str], ...] = ()
    """The traces and spans in which some of these were measured."""


@dataclass(frozen=True)
class ReceivedMetric:
    """A metric as it came over the wire."""

    scope: str
    name: str
    unit: str
    description: str
    kind: str
    """`sum`, `gauge` or `histogram`."""
    monotonic: bool | None
    temporality: int | None
    points: list[ReceivedPoint]


class Receiver:
    """All that was exported to one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.encodings: set[str] = set()
        """How what came was compressed."""
        self._metrics: list[ExportMetricsServiceRequest] = []
        self._traces: list[ExportTraceServiceRequest] = []

    def take(self, path: str, body: bytes) -> bytes | None:
        """Keep one export; what there is to answer to it, or None if nobody takes it there."""
        if path == "/v1/metrics":
            self._metrics.append(ExportMetricsServiceRequest.FromString(body))
            return bytes(ExportMetricsServiceResponse().SerializeToString())
        if path == "/v1/traces":
            self._traces.append(ExportTraceServiceRequest.FromString(body))
            return bytes(ExportTraceServiceResponse().SerializeToString())
        return None

    def spans(self) -> list[ReceivedSpan]:
        """All spans until now, in the order in which they came."""
        return [
            _span(scoped.scope.name, span)
            for request in self._traces
            for resource in request.resource_spans
            for scoped in resource.scope_spans
            for span in scoped.spans
        ]

    def exports(self) -> list[list[ReceivedMetric]]:
        """The metrics of each export until now, of all scopes."""
        return [
            [
                _metric(scoped.scope.name, metric)
                for resource in request.resource_metrics
                for scoped in resource.scope_metrics
                for metric in scoped.metrics
            ]
            for request in self._metrics
        ]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on an address of its own, in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0: each export has a connection to itself, and leaves none behind.

        def do_POST(self) -> None:
            encoding = self.headers.get("Content-Encoding", "identity")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.encodings.add(encoding)
            answer = receiver.take(self.path, gzip.decompress(body) if encoding == "gzip" else body)
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(answer or b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing: the tests look at what was received."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


# -- decoding --------------------------------------------------------------------------------


def _span(scope: str, span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        scope=scope,
        name=span.name,
        kind=span.kind,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=[(event.name, event.time_unix_nano) for event in span.events],
        status=span.status.code,
        status_message=span.status.message,
    )


def _metric(scope: str, metric: Any) -> ReceivedMetric:
    kind = metric.WhichOneof("data")
    data = getattr(metric, kind)
    return ReceivedMetric(
        scope=scope,
        name=metric.name,
        unit=metric.unit,
        description=metric.description,
        kind=kind,
        monotonic=data.is_monotonic if kind == "sum" else None,
        temporality=None if kind == "gauge" else data.aggregation_temporality,
        points=[_point(kind, point) for point in data.data_points],
    )


def _point(kind: str, point: Any) -> ReceivedPoint:
    attributes = _attributes(point.attributes)
    if kind != "histogram":
        return ReceivedPoint(attributes, getattr(point, point.WhichOneof("value")))
    return ReceivedPoint(
        attributes,
        value=None,
        counts=tuple(point.bucket_counts),
        bounds=tuple(point.explicit_bounds),
        count=point.count,
        sum=point.sum,
        exemplars=tuple((each.trace_id.hex(), each.span_id.hex()) for each in point.exemplars),
    )


def _attributes(pairs: Iterable[Any]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, which)
