"""The trace a connection is asked for in, where OpenTelemetry is in use.

OpenTelemetry is never imported here: a program that uses it has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from pool_observer.model import TraceContext


def reader_of_current_context() -> Callable[[], object] | None:
    """What gives OpenTelemetry's current context, or None where nobody uses OpenTelemetry."""
    module = sys.modules.get("opentelemetry.context")
    get_current: Callable[[], object] | None = getattr(module, "get_current", None)
    if get_current is None:
        return None

    def read() -> object:
        try:
            return get_current()
        except Exception:  # theirs to report; a connection without a trace is still a connection
            return None

    return read


def trace_in(context: object) -> TraceContext | None:
    """The span that is current in a context of OpenTelemetry's, if there is one."""
    trace = sys.modules.get("opentelemetry.trace")
    if context is None or trace is None:
        return None
    span = trace.get_current_span(context).get_span_context()
    if not span.is_valid:
        return None
    return TraceContext(
        trace_id=f"{span.trace_id:032x}",
        span_id=f"{span.span_id:016x}",
        sampled=bool(span.trace_flags.sampled),
    )
