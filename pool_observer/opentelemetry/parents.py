"""The span that was current when a connection was asked for, as OpenTelemetry wants it."""

from __future__ import annotations

from functools import lru_cache

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from pool_observer.model import TraceContext


@lru_cache(maxsize=64)  # each of a trace's durations and spans is told by itself
def context_of(trace: TraceContext | None) -> Context:
    """A context in which that span is current; of nothing else, such as our own thread's."""
    if trace is None:
        return Context()
    return set_span_in_context(
        NonRecordingSpan(
            SpanContext(
                trace_id=int(trace.trace_id, 16),
                span_id=int(trace.span_id, 16),
                is_remote=False,
                trace_flags=TraceFlags(trace.flags),
                trace_state=TraceState.from_header([trace.state]) if trace.state else None,
            )
        ),
        Context(),
    )
