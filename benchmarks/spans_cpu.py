"""All CPU that a traced service spends on a checkout, with the threads that it has in production.

Ours has a watchdog and a messenger, whom nothing is taken off here. Spans are put in the queue
of the SDK's batch processor, whose thread takes them out and gives them to an exporter that
throws them away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from benchmarks import ours
from benchmarks.attached import Attached, peer_module
from benchmarks.peers import opentelemetry
from benchmarks.process_cpu import Results, Situation, Subject, cpu_per_checkout
from benchmarks.scrape_cost import OPEN_METRICS
from benchmarks.telemetry import Telemetry, Tell
from benchmarks.zero_dbapi import zero_engine
from pool_observer import observe
from pool_observer.prometheus.rendering import render

HOLDERS = 10

BARE = "bare SQLAlchemy"
PROMETHEUS = "ours, Prometheus alone"
INSTRUMENTED = "OTel instrumentation, spans + metric"
_TELLING: dict[str, Tell] = {
    BARE: lambda engine, telemetry: Attached(),
    "ours, long spans": ours.telling(),
    "ours, all spans": ours.telling(spans_above=0),
    INSTRUMENTED: opentelemetry.instrumented(pool_metric=True),
}
SUBJECTS = (BARE, PROMETHEUS, *(name for name in _TELLING if name != BARE))

_LOOP = "connect + execute + commit + close"
SITUATIONS = {
    "without a pause": Situation(_LOOP, scraped=False),
    "1,000 a second": Situation(_LOOP, scraped=False, paced=True),
    "1,000 a second, read": Situation(_LOOP, scraped=True, paced=True),
}


def measured(rounds: int) -> Results:
    """Measure these, interleaved."""
    return cpu_per_checkout(_make, SUBJECTS, tuple(SITUATIONS.values()), rounds)


class _NowhereExporter:
    """Has the methods of the SDK's SpanExporter."""

    def __init__(self) -> None:
        self._success = peer_module("opentelemetry.sdk.trace.export").SpanExportResult.SUCCESS

    def export(self, spans: Sequence[object]) -> Any:
        return self._success

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    def shutdown(self) -> None: ...


def _make(name: str) -> Subject:
    telemetry = Telemetry()
    export = peer_module("opentelemetry.sdk.trace.export")
    telemetry.tracers.add_span_processor(export.BatchSpanProcessor(_NowhereExporter()))
    telemetry.begin_request()
    engine = zero_engine()
    if name == PROMETHEUS:
        return _scraped_by_prometheus(engine)
    return Subject(engine, _TELLING[name](engine, telemetry), HOLDERS, telemetry.collect)


def _scraped_by_prometheus(engine: Engine) -> Subject:
    registry = CollectorRegistry()
    observer = observe(engine, name=ours.NAME, registry=registry)

    def scrape() -> None:
        render(registry, None, accept=OPEN_METRICS, accept_encoding="gzip")

    return Subject(engine, Attached(afterwards=observer.deliver), HOLDERS, scrape)
