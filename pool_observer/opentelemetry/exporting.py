"""Tells OpenTelemetry of a pool until its observer is closed."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import trace

from pool_observer.observer import PoolObserver
from pool_observer.opentelemetry.advice import say_what_works
from pool_observer.opentelemetry.at_exit import process_at_exit
from pool_observer.opentelemetry.conventions import Conventions
from pool_observer.opentelemetry.durations import DurationRecorder
from pool_observer.opentelemetry.instruments import process_instruments
from pool_observer.opentelemetry.scope import SCOPE, scope_version
from pool_observer.opentelemetry.settings import OpenTelemetry
from pool_observer.opentelemetry.spans import SpanRecorder

Undo = Callable[[], None]


def export(observer: PoolObserver, settings: OpenTelemetry) -> Undo:
    """Tell of this pool until the function returned is called, or the observer is closed.

    Whatever the providers do about it, nothing is raised.
    """
    undo: list[Undo] = []
    if settings.metrics:
        try:
            undo += _export_metrics(observer, settings)
        except Exception:
            observer.note_failure("making OpenTelemetry's instruments")
    process_at_exit.add(observer)
    if settings.spans_above is not None:
        observer.at_first_tick(say_what_works)  # by then, others are at work too
        try:
            undo += _export_spans(observer, settings, settings.spans_above)
        except Exception:
            observer.note_failure("making OpenTelemetry's tracer")

    def stop() -> None:
        for each in undo:
            each()

    return stop


def _export_metrics(observer: PoolObserver, settings: OpenTelemetry) -> list[Undo]:
    instruments = process_instruments.on(settings.meter_provider)
    unsubscribe = observer.subscribe(DurationRecorder(instruments.histograms))
    instruments.observers.add(observer)
    observer.told_to_opentelemetry = True

    def leave() -> None:
        instruments.observers.remove(observer)
        observer.told_to_opentelemetry = False

    observer.when_closing(leave)
    return [unsubscribe, leave]


def _export_spans(
    observer: PoolObserver, settings: OpenTelemetry, above_seconds: float
) -> list[Undo]:
    tracer = trace.get_tracer(SCOPE, scope_version(), settings.tracer_provider)
    pool = observer.snapshot().settings
    dialect = "other_sql" if pool is None else pool.dialect
    return [observer.subscribe(SpanRecorder(tracer, above_seconds, Conventions(), dialect))]
