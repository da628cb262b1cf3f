"""The spans there are to be of waits and holds, put together from what a listener heard."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pool_observer.metric import POOL_LABEL
from pool_observer.model import NANOSECONDS, Hold, Wait
from pool_observer.opentelemetry.scope import SCOPE
from pool_observer.opentelemetry.spans import HOLD, WAIT
from tests.opentelemetry.otlp_service import WARM_UP
from tests.opentelemetry.receiver import ReceivedSpan
from tests.opentelemetry.story import in_order

INTERNAL = 1
UNSET, ERROR = 0, 2

ERRORS = {
    "timed_out": "the pool had no connection within its time-out",
    "failed": "no connection could be opened",
    "lost": "the connection was never returned",
}


def wait_span(wait: Wait) -> ReceivedSpan:
    """The span there is to be of a wait."""
    pinged_ns = wait.began_ns + wait.queue_ns
    stages = [
        ("queue start", wait.began_ns, wait.queue_ns),
        ("ping start", pinged_ns, wait.ping_ns),
        ("connect start", pinged_ns + wait.ping_ns, wait.connect_ns),
    ]
    own: dict[str, Any] = {
        "pool_observer.outcome": str(wait.outcome),
        "pool_observer.queue_seconds": wait.queue_ns / NANOSECONDS,
        "pool_observer.ping_seconds": wait.ping_ns / NANOSECONDS,
        "pool_observer.connect_seconds": wait.connect_ns / NANOSECONDS,
        "pool_observer.nested": wait.nested,
    }
    if wait.held_by:
        own["pool_observer.held_by"] = [str(occupant) for occupant in wait.held_by]
    events = [(name, instant) for name, instant, lasted in stages if lasted]
    return span_of(WAIT, wait, str(wait.outcome), own, events)


def hold_span(hold: Hold) -> ReceivedSpan:
    """The span there is to be of a hold."""
    own: dict[str, Any] = {
        "pool_observer.executing_seconds": hold.executing_ns / NANOSECONDS,
        "pool_observer.in_transaction_seconds": hold.in_transaction_ns / NANOSECONDS,
        "pool_observer.idle_seconds": hold.idle_ns / NANOSECONDS,
        "pool_observer.waited_seconds": hold.waited_ns / NANOSECONDS,
        "pool_observer.ending": str(hold.ending),
        "pool_observer.overdue": hold.overdue,
        "pool_observer.lost": hold.ending == "lost",
        "pool_observer.limit_seconds": hold.limit_seconds,
        "pool_observer.backend_pid": hold.backend_pid,
    }
    if hold.limit_reason is not None:
        own["pool_observer.limit_reason"] = hold.limit_reason
    for phase, nanoseconds in hold.phase_ns.items():
        own[f"pool_observer.{phase}_seconds"] = nanoseconds / NANOSECONDS
    overdue_after = round(hold.limit_seconds * NANOSECONDS) if hold.overdue else None
    events = [
        (name, hold.began_ns + after)
        for name, after in (
            ("first statement", hold.first_statement_after_ns),
            ("commit", hold.committed_after_ns),
            ("overdue", overdue_after),
        )
        if after is not None
    ]
    return span_of(HOLD, hold, str(hold.ending), own, sorted(events, key=lambda event: event[1]))


def span_of(
    name: str, what: Wait | Hold, end: str, own: dict[str, Any], events: list[tuple[str, int]]
) -> ReceivedSpan:
    site, trace = what.call_site, what.trace
    assert site is not None
    attributes = own | {
        "db.system.name": "postgresql",
        "code.function.name": site.function,
        "code.file.path": site.file,
        "code.line.number": site.line,
        POOL_LABEL: "orders",
        "holder": what.holder,
    }
    if what.holder != WARM_UP:
        method, route = what.holder.split(" ")
        attributes |= {"http.request.method": method, "http.route": route}
    if end in ERRORS:
        attributes["error.type"] = end
    return ReceivedSpan(
        scope=SCOPE,
        name=name,
        kind=INTERNAL,
        trace_id="" if trace is None else trace.trace_id,
        span_id="",
        parent_id="" if trace is None else trace.span_id,
        start_ns=what.began_ns,
        end_ns=what.began_ns + what.duration_ns,
        attributes=attributes,
        events=events,
        status=ERROR if end in ERRORS else UNSET,
        status_message=ERRORS.get(end, ""),
    )


def comparable(spans: list[ReceivedSpan]) -> list[ReceivedSpan]:
    """Without the numbers that nobody can know beforehand."""
    return in_order(
        replace(span, span_id="", trace_id=span.trace_id if span.parent_id else "")
        for span in spans
    )
