"""Tells OpenTelemetry of a pool until its observer is closed."""

from __future__ import annotations

from opentelemetry import trace

from pool_observer.observer import PoolObserver
from pool_observer.opentelemetry.conventions import Conventions
from pool_observer.opentelemetry.durations import DurationRecorder
from pool_observer.opentelemetry.instruments import process_instruments
from pool_observer.opentelemetry.scope import SCOPE, scope_version
from pool_observer.opentelemetry.settings import OpenTelemetry
from pool_observer.opentelemetry.spans import SpanRecorder


def export(observer: PoolObserver, settings: OpenTelemetry) -> None:
    """Tell of this pool. Whatever the providers do about it, nothing is raised."""
    if settings.metrics:
        try:
            _export_metrics(observer, settings)
        except Exception:
            observer.note_failure("making OpenTelemetry's instruments")
    if settings.spans_above is not None:
        try:
            _export_spans(observer, settings, settings.spans_above)
        except Exception:
            observer.note_failure("making OpenTelemetry's tracer")


def _export_metrics(observer: PoolObserver, settings: OpenTelemetry) -> None:
    instruments = process_instruments.on(settings.meter_provider)
    observer.subscribe(DurationRecorder(instruments.histograms))
    instruments.add(observer)
    observer.when_closing(lambda: instruments.remove(observer))


def _export_spans(observer: PoolObserver, settings: OpenTelemetry, above_seconds: float) -> None:
    tracer = trace.get_tracer(SCOPE, scope_version(), settings.tracer_provider)
    pool = observer.snapshot().settings
    dialect = "other_sql" if pool is None else pool.dialect
    observer.subscribe(SpanRecorder(tracer, above_seconds, Conventions(), dialect))
