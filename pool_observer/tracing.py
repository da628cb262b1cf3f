"""The trace a connection is asked for in, where OpenTelemetry is in use.

OpenTelemetry is never imported here: a program that uses it has imported it already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from pool_observer.model import TraceContext

CONNECT = "opentelemetry.instrumentation.sqlalchemy", "connect"
"""OpenTelemetry's own span for getting a connection. It ends where the hold begins."""


class Traced(NamedTuple):
    """What a context of OpenTelemetry's says of who was called in it."""

    span: TraceContext | None = None
    """The span that was current."""
    suppressed: bool = False
    """Whether instrumentation was told to record nothing."""
    around_connect: TraceContext | None = None
    """If the current span is of getting a connection and no more: the one around it."""

    @property
    def span_of_hold(self) -> TraceContext | None:
        """The span of which the hold is a part."""
        return self.around_connect or self.span


UNTRACED = Traced()


def reader_of_current_context() -> Callable[[], object] | None:
    """What gives OpenTelemetry's current context, or None where nobody uses OpenTelemetry."""
    module = sys.modules.get("opentelemetry.context")
    get_current: Callable[[], object] | None = getattr(module, "get_current", None)
    if get_current is None:
        return None

    def read() -> object:
        try:
            # An empty one says nothing. Newer FastAPI imports OpenTelemetry, used or not.
            return get_current() or None
        except Exception:  # theirs to report; a connection without a trace is still a connection
            return None

    return read


def traced_in(context: Any) -> Traced:
    """The span that is current in a context of OpenTelemetry's, and whether it may be told."""
    suppressed = _is_suppressed_in(context)
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return Traced(suppressed=suppressed)
    span = trace.get_current_span(context)
    scope = getattr(span, "instrumentation_scope", None)
    around = None
    if scope is not None and (scope.name, span.name) == CONNECT and span.parent is not None:
        around = _named(span.parent)
    return Traced(_named(span.get_span_context()), suppressed, around)


def _named(span: Any) -> TraceContext | None:
    if not span.is_valid:
        return None
    return TraceContext(
        trace_id=f"{span.trace_id:032x}",
        span_id=f"{span.span_id:016x}",
        flags=int(span.trace_flags),
        state=span.trace_state.to_header() if span.trace_state else "",
    )


def _is_suppressed_in(context: Any) -> bool:
    # The key is OpenTelemetry's own; the plain one is that of its older versions.
    module = sys.modules.get("opentelemetry.context")
    key = getattr(module, "_SUPPRESS_INSTRUMENTATION_KEY", "")
    return bool(context.get(key) or context.get("suppress_instrumentation"))
