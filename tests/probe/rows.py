"""What a server may say, made up."""

from __future__ import annotations

from typing import Any

from pool_observer.probe.reading import Reading, Row
from pool_observer.server import ServerLimits, SessionState

PROBE = 1
"""The probe's own session."""

LIMITS = ServerLimits(max_connections=100, reserved=3)


def row(pid: int, state: SessionState = SessionState.ACTIVE, **more: Any) -> Row:
    fields: dict[str, Any] = {
        "pid": pid,
        "user": "app",
        "database": "orders",
        "application": None,
        "state": state,
        "state_seconds": 1.0,
        "transaction_seconds": None,
        "waits_for": None,
        "blocked_by": (),
    }
    return Row(**fields | more)


def reading(*rows: Row, pid: int = PROBE) -> Reading:
    return Reading(pid, (row(pid), *rows), LIMITS)
