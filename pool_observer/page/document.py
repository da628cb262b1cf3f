"""The figures of the live page, as JSON has them."""

from __future__ import annotations

import math
import time
from typing import Any

from pool_observer.explanation import BlockedLoop, ExplainedHold, Standing
from pool_observer.incidents import Incident
from pool_observer.model import NANOSECONDS, CallSite, Wait
from pool_observer.observer import PoolObserver
from pool_observer.page.database import server_side, server_state
from pool_observer.page.history import History, Second, Use
from pool_observer.page.process import process
from pool_observer.state import PoolSettings, PoolState, PoolTotals

SCHEMA = 1

MOST_WAITS = 500
MOST_HOLDERS = 50

Json = dict[str, Any]


def document(pools: list[tuple[PoolObserver, History]]) -> Json:
    """All that the page shows of these pools."""
    return {
        "schema": SCHEMA,
        "at": time.time(),
        "process": process(),
        "pools": [_pool(observer, history) for observer, history in pools],
    }


def _pool(observer: PoolObserver, history: History) -> Json:
    state, explanation, now = observer.look_into()
    waits = explanation.waits[:MOST_WAITS]
    return {
        "name": state.name,
        "used": state.used,
        "idle": state.idle,
        "waiting": state.waiting,
        "max": state.max,
        "idle_max": state.idle_max,
        "utilization": state.utilization,
        "peak_demand": state.peak_demand,
        "unseen": state.unseen,
        "settings": None if state.settings is None else _settings(state.settings),
        "event_loop": {
            "lag_seconds": state.event_loop_lag_seconds,
            "blocked": [_blocked(loop) for loop in explanation.blocked_loops],
        },
        "timeline": _timeline(list(history.seconds), state.at),
        "holds": [_hold(held) for held in explanation.holds],
        "holds_omitted": explanation.holds_left_out,
        "waits": [_wait(wait) for wait in waits],
        "waits_omitted": explanation.waiting - len(waits),
        "holders": _holders(history, state.totals, now),
        "incidents": [_incident(incident) for incident in observer.incidents()],
        "totals": _totals(state),
        "server": server_state(state.server),
    }


def _settings(settings: PoolSettings) -> Json:
    return {
        "pool_class": settings.pool_class,
        "dialect": settings.dialect,
        "driver": settings.driver,
        "size": settings.size,
        "max_overflow": settings.max_overflow,
        "timeout": settings.timeout,
        "recycle": settings.recycle,
        "pre_ping": settings.pre_ping,
    }


def _blocked(loop: BlockedLoop) -> Json:
    return {"seconds": loop.seconds, "standing": _standing(loop.standing)}


def _timeline(seconds: list[Second], until: float) -> Json:
    return {
        "until": until,
        "every_seconds": 1.0,
        "executing": [_rounded(second.executing) for second in seconds],
        "in_transaction": [_rounded(second.in_transaction) for second in seconds],
        "idle": [_rounded(second.idle) for second in seconds],
        "waiting": [second.waiting for second in seconds],
        "timed_out": [second.timed_out for second in seconds],
        "failed": [second.failed for second in seconds],
    }


def _rounded(connections: float) -> float:
    return round(connections, 3)  # there are hundreds of these, for a picture


def _hold(held: ExplainedHold) -> Json:
    hold, diagnosis = held.hold, held.diagnosis
    return {
        "id": str(held.key),
        "holder": hold.holder,
        "phase": None if hold.phase is None else hold.phase.value,
        "activity": hold.activity.value,
        "activity_seconds": hold.activity_for_seconds,
        "seconds": hold.seconds,
        "executing_seconds": hold.executing_seconds,
        "in_transaction_seconds": hold.in_transaction_seconds,
        "idle_seconds": hold.idle_seconds,
        "waited_seconds": hold.waited_ns / NANOSECONDS,
        "call_site": _place(hold.call_site),
        "standing": _standing(held.standing),
        "diagnosis": (
            None
            if diagnosis is None
            else {"kind": diagnosis.kind.value, "text": diagnosis.text, "mend": diagnosis.mend}
        ),
        "backend_pid": hold.backend_pid,
        "server": None if held.server is None else server_side(held.server),
        "overdue": hold.overdue,
        "limit_seconds": hold.limit_seconds if math.isfinite(hold.limit_seconds) else None,
        "limit_reason": hold.limit_reason,
        "began_at": hold.began_at,
        "trace_id": None if hold.trace is None else hold.trace.trace_id,
    }


def _wait(wait: Wait) -> Json:
    return {
        "id": str(wait.began_ns),
        "holder": wait.holder,
        "stage": wait.stage.value,
        "seconds": wait.seconds,
        "call_site": _place(wait.call_site),
        "nested_in": _place(wait.nested_in),
    }


def _place(site: CallSite | None) -> Json | None:
    if site is None:
        return None
    return {"file": site.file, "line": site.line, "function": site.function}


def _standing(standing: Standing | None) -> Json | None:
    if standing is None:
        return None
    return {
        "doing": standing.doing.value,
        "at": _place(standing.at),
        "calling": _place(standing.calling),
        "innermost": _place(standing.innermost),
    }


def _holders(history: History, totals: PoolTotals, now: int) -> Json:
    began_at = history.began_at()
    window = 0.0 if began_at is None else max(now - began_at, 0) / NANOSECONDS
    uses = history.uses(totals)[:MOST_HOLDERS]
    return {
        "window_seconds": window,
        "rows": [_use(use, window) for use in uses if use.total_ns or use.timed_out or use.failed],
    }


def _use(use: Use, window: float) -> Json:
    total = use.total_ns / NANOSECONDS
    wasted = use.in_transaction_ns + use.idle_ns
    return {
        "holder": use.holder,
        "connections": total / window if window else 0.0,
        "seconds": total,
        "executing_seconds": use.executing_ns / NANOSECONDS,
        "in_transaction_seconds": use.in_transaction_ns / NANOSECONDS,
        "idle_seconds": use.idle_ns / NANOSECONDS,
        "wasted_ratio": wasted / use.total_ns if use.total_ns else 0.0,
        "blamed_seconds": use.blamed_seconds,
        "timed_out": use.timed_out,
        "failed": use.failed,
        "checkouts": use.checkouts,
    }


def _incident(incident: Incident) -> Json:
    return {
        "kind": incident.kind.value,
        "at": incident.at,
        "since": incident.at if incident.since is None else incident.since,
        "count": incident.count,
        "holder": incident.holder,
        "call_site": _place(incident.call_site),
        "seconds": incident.seconds,
        "text": incident.text,
    }


def _totals(state: PoolState) -> Json:
    totals = state.totals
    holders = totals.holders.values()
    return {
        "checkouts": sum(each.checkouts for each in holders),
        "timed_out": sum(each.timed_out for each in holders),
        "failed": sum(each.failed for each in holders),
        "overdue": sum(each.overdue for each in holders),
        "lost": sum(each.lost for each in holders),
        "internal_errors": sum(totals.internal_errors.values()),
        "dropped_events": totals.dropped_events,
    }
