"""Holds and waits made up for tests of what is said of them."""

from __future__ import annotations

from typing import Any

from pool_observer import Activity, CallSite, Diagnosis, ExplainedHold, Hold, Stage, Standing, Wait

SITE = CallSite("app/db.py", 12, "get_session")
AT = CallSite("app/chat.py", 41, "chat")
SEND = CallSite("httpx/_client.py", 1629, "AsyncClient.send")


def ns(seconds: float) -> int:
    return round(seconds * 1_000_000_000)


def hold_of(
    activity: Activity = Activity.IDLE,
    *,
    executing: float = 0,
    in_transaction: float = 0,
    idle: float = 0,
    lasting: float | None = None,
    **more: Any,
) -> Hold:
    """A hold that is open, and was in each activity for so many seconds; in the last for
    `lasting` without a break, or all the time."""
    spent = {
        Activity.EXECUTING: executing,
        Activity.IN_TRANSACTION: in_transaction,
        Activity.IDLE: idle,
    }
    fields: dict[str, Any] = {
        "pool": "orders",
        "holder": "POST /chat/{user}",
        "call_site": SITE,
        "began_ns": 0,
        "ending": None,
        "activity": activity,
        "executing_ns": ns(executing),
        "in_transaction_ns": ns(in_transaction),
        "idle_ns": ns(idle),
        "waited_ns": 0,
        "backend_pid": 4711,
        "overdue": False,
        "limit_seconds": 30.0,
        "activity_for_ns": ns(spent[activity] if lasting is None else lasting),
    }
    return Hold(**fields | more)


def held_of(
    hold: Hold, standing: Standing | None = None, diagnosis: Diagnosis | None = None, key: int = 0
) -> ExplainedHold:
    return ExplainedHold(key, hold, standing, diagnosis)


def wait_of(seconds: float = 2.0, **more: Any) -> Wait:
    fields: dict[str, Any] = {
        "pool": "orders",
        "holder": "GET /health",
        "call_site": CallSite("app/health.py", 7, "health"),
        "began_ns": 0,
        "outcome": None,
        "stage": Stage.QUEUE,
        "queue_ns": ns(seconds),
        "connect_ns": 0,
        "ping_ns": 0,
    }
    return Wait(**fields | more)
