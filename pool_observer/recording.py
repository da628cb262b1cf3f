"""What log records say besides their text, for those who log in JSON.

By the names that spans have for the same, and flat, since not everybody's logs can nest. Names
that others may give to fields of their own (`holder`, `trace_id`) would make logging fail.
"""

from __future__ import annotations

import math

from pool_observer.explanation import ExplainedHold
from pool_observer.metric import POOL_LABEL
from pool_observer.model import Hold, Wait

LogFields = dict[str, str | int | float | bool]


def fields_of_hold(held: ExplainedHold) -> LogFields:
    """A hold, and what has been found out about it."""
    hold, standing, diagnosis = held.hold, held.standing, held.diagnosis
    fields = _fields(hold) | {
        "pool_observer.seconds": hold.seconds,
        "pool_observer.activity": hold.activity.value,
        "pool_observer.executing_seconds": hold.executing_seconds,
        "pool_observer.in_transaction_seconds": hold.in_transaction_seconds,
        "pool_observer.idle_seconds": hold.idle_seconds,
    }
    if math.isfinite(hold.limit_seconds):
        fields["pool_observer.limit_seconds"] = hold.limit_seconds
    if hold.limit_reason is not None:
        fields["pool_observer.limit_reason"] = hold.limit_reason
    if hold.ending is not None:
        fields["pool_observer.ending"] = hold.ending.value
    if hold.phase is not None:
        fields["pool_observer.phase"] = hold.phase.value
    if hold.backend_pid is not None:
        fields["pool_observer.backend_pid"] = hold.backend_pid
    if held.server is not None:
        joined = held.server.joined
        fields["pool_observer.server_state"] = joined.session.state.value
        fields["pool_observer.server_seconds_ago"] = held.server.seconds_ago
        if joined.session.transaction_seconds is not None:
            fields["pool_observer.transaction_seconds"] = joined.session.transaction_seconds
        if joined.session.waits_for is not None:
            fields["pool_observer.waits_for"] = joined.session.waits_for
        if joined.blocked_by:
            fields["pool_observer.blocked_by"] = held.server.blockers()
    if standing is not None:
        fields["pool_observer.doing"] = standing.doing.value
        fields["pool_observer.standing"] = str(standing)
    if diagnosis is not None:
        fields["pool_observer.diagnosis"] = diagnosis.kind.value
        fields["pool_observer.diagnosis_text"] = diagnosis.text
        fields["pool_observer.mend"] = diagnosis.mend
    return fields


def fields_of_wait(wait: Wait) -> LogFields:
    """A wait that has come to nothing."""
    return _fields(wait) | {"pool_observer.seconds": wait.seconds}


def _fields(what: Hold | Wait) -> LogFields:
    fields: LogFields = {POOL_LABEL: what.pool, "pool_observer.holder": what.holder}
    if what.call_site is not None:
        fields["code.file.path"] = what.call_site.file
        fields["code.line.number"] = what.call_site.line
        fields["code.function.name"] = what.call_site.function
    if what.trace is not None:
        fields["pool_observer.trace_id"] = what.trace.trace_id
        fields["pool_observer.span_id"] = what.trace.span_id
    return fields
