"""Waits and holds as spans, made when they are over and only if they matter.

They begin and end when the wait or the hold did, and are children of the span that was
current when the connection was asked for. Those that are short cost nothing but a comparison.
"""

from __future__ import annotations

import math

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from pool_observer.listener import Listener
from pool_observer.metric import POOL_LABEL
from pool_observer.model import NANOSECONDS, Ending, Hold, Outcome, Wait
from pool_observer.opentelemetry.conventions import Attributes, Conventions
from pool_observer.opentelemetry.parents import context_of

WAIT = "pool wait"
HOLD = "connection hold"

MOST_OCCUPANTS = 10
"""Holders and lines named in one span."""

_ERRORS = {
    Outcome.TIMED_OUT: "the pool had no connection within its time-out",
    Outcome.FAILED: "no connection could be opened",
}


class SpanRecorder(Listener):
    """Makes spans of waits and holds that have lasted for `above_seconds`, or went wrong."""

    def __init__(
        self, tracer: Tracer, above_seconds: float, conventions: Conventions, dialect: str
    ) -> None:
        self._tracer = tracer
        self._above_ns = above_seconds * NANOSECONDS
        self._conventions = conventions
        self._database = conventions.database(dialect)

    def wait_ended(self, wait: Wait) -> None:
        failed = wait.outcome in _ERRORS
        if wait.suppressed or (wait.duration_ns < self._above_ns and not failed):
            return
        span = self._start(WAIT, wait, _of_wait(wait))
        if span.is_recording():
            for stage, instant in _stages(wait):
                span.add_event(f"{stage} start", timestamp=instant)
            if wait.outcome in _ERRORS:
                span.set_attribute("error.type", str(wait.outcome))
                span.set_status(Status(StatusCode.ERROR, _ERRORS[wait.outcome]))
        span.end(wait.began_ns + wait.duration_ns)

    def hold_ended(self, hold: Hold) -> None:
        lost = hold.ending is Ending.LOST
        if hold.suppressed or (hold.duration_ns < self._above_ns and not (lost or hold.overdue)):
            return
        span = self._start(HOLD, hold, _of_hold(hold))
        if span.is_recording():
            for name, instant in _marks(hold):
                span.add_event(name, timestamp=hold.began_ns + instant)
            if lost:
                span.set_attribute("error.type", Ending.LOST.value)
                span.set_status(Status(StatusCode.ERROR, "the connection was never returned"))
        span.end(hold.began_ns + hold.duration_ns)

    def _start(self, name: str, what: Wait | Hold, attributes: Attributes) -> Span:
        # All at the start: samplers decide by them.
        attributes |= self._database
        attributes |= self._conventions.request(what.holder)
        attributes |= self._conventions.code(what.call_site)
        attributes[POOL_LABEL] = what.pool
        attributes["holder"] = what.holder
        return self._tracer.start_span(
            name,
            context=context_of(what.trace),
            kind=SpanKind.INTERNAL,
            attributes=attributes,
            start_time=what.began_ns,
        )


def _of_wait(wait: Wait) -> Attributes:
    attributes: Attributes = {
        "pool_observer.outcome": "" if wait.outcome is None else wait.outcome.value,
        "pool_observer.queue_seconds": wait.queue_seconds,
        "pool_observer.connect_seconds": wait.connect_seconds,
        "pool_observer.ping_seconds": wait.ping_seconds,
        "pool_observer.nested": wait.nested,
    }
    if wait.held_by:
        named = [str(occupant) for occupant in wait.held_by[:MOST_OCCUPANTS]]
        rest = sum(occupant.connections for occupant in wait.held_by[MOST_OCCUPANTS:])
        attributes["pool_observer.held_by"] = [*named, f"{rest} x others"] if rest else named
    return attributes


def _stages(wait: Wait) -> list[tuple[str, int]]:
    """When each stage of the wait began that it went through."""
    began_at, stages = wait.began_ns, []
    for stage, nanoseconds in (
        ("queue", wait.queue_ns),
        ("ping", wait.ping_ns),
        ("connect", wait.connect_ns),
    ):
        if nanoseconds:
            stages.append((stage, began_at))
        began_at += nanoseconds
    return stages


def _of_hold(hold: Hold) -> Attributes:
    attributes: Attributes = {
        "pool_observer.executing_seconds": hold.executing_seconds,
        "pool_observer.in_transaction_seconds": hold.in_transaction_seconds,
        "pool_observer.idle_seconds": hold.idle_seconds,
        "pool_observer.waited_seconds": hold.waited_ns / NANOSECONDS,
        "pool_observer.ending": "" if hold.ending is None else hold.ending.value,
        "pool_observer.overdue": hold.overdue,
        "pool_observer.lost": hold.ending is Ending.LOST,
    }
    if math.isfinite(hold.limit_seconds):
        attributes["pool_observer.limit_seconds"] = hold.limit_seconds
    for phase, nanoseconds in hold.phase_ns.items():
        attributes[f"pool_observer.{phase.value}_seconds"] = nanoseconds / NANOSECONDS
    if hold.limit_reason is not None:
        attributes["pool_observer.limit_reason"] = hold.limit_reason
    if hold.backend_pid is not None:
        attributes["pool_observer.backend_pid"] = hold.backend_pid
    return attributes


def _marks(hold: Hold) -> list[tuple[str, int]]:
    """What is to be seen on the time line of a hold, in nanoseconds from its beginning."""
    marks = []
    if hold.first_statement_after_ns is not None:
        marks.append(("first statement", hold.first_statement_after_ns))
    if hold.committed_after_ns is not None:
        marks.append(("commit", hold.committed_after_ns))
    if hold.overdue:
        marks.append(("overdue", round(hold.limit_seconds * NANOSECONDS)))
    return sorted(marks, key=lambda mark: mark[1])
