"""Documents as the live page gets them, and what they are made of."""

from __future__ import annotations

from typing import Any

AT = 1_790_000_000.0
CHAT = {"file": "app/chat.py", "line": 38, "function": "chat"}
SENDING = {"file": "httpx/_client.py", "line": 1629, "function": "send"}
AWAITING = {
    "doing": "awaiting",
    "at": {**CHAT, "line": 41},
    "calling": SENDING,
    "innermost": {"file": "anyio/_backends/_asyncio.py", "line": 1254, "function": "receive"},
}
IDLE_IN_TRANSACTION = {
    "kind": "idle_in_transaction",
    "text": "idle in transaction for 3.4 s",
    "mend": "commit or close the session before this await, which frees 90 % of this hold",
}


def document(
    *pools: dict[str, Any], pid: int = 4121, at: float = AT, **process: Any
) -> dict[str, Any]:
    return {
        "schema": 1,
        "at": at,
        "process": {"id": f"{pid:016x}", "pid": pid, "version": "0.1.0", **process},
        "pools": list(pools),
    }


def pool(
    name: str = "orders", *, holds: Any = (), waits: Any = (), **changes: Any
) -> dict[str, Any]:
    used = changes.pop("used", len(holds))
    most = changes.pop("max", 15)
    return {
        "name": name,
        "used": used,
        "idle": 5,
        "waiting": len(waits),
        "max": most,
        "idle_max": 5,
        "utilization": used / most if most else None,
        "unseen": 0,
        "settings": {
            "pool_class": "AsyncAdaptedQueuePool",
            "dialect": "postgresql",
            "driver": "asyncpg",
            "size": 5,
            "max_overflow": 10,
            "timeout": 30.0,
            "recycle": -1.0,
            "pre_ping": False,
        },
        "event_loop": {"lag_seconds": 0.0012, "blocked": []},
        "timeline": timeline(),
        "holds": list(holds),
        "holds_omitted": 0,
        "waits": list(waits),
        "waits_omitted": 0,
        "holders": {"window_seconds": 300.0, "rows": []},
        "incidents": [],
        "totals": {
            "checkouts": 1284,
            "timed_out": 0,
            "failed": 0,
            "overdue": 0,
            "lost": 0,
            "internal_errors": 0,
            "dropped_events": 0,
        },
        "server": None,
        **changes,
    }


def timeline(length: int = 0, **series: Any) -> dict[str, Any]:
    nothing = {
        name: [0] * length
        for name in ("executing", "in_transaction", "idle", "waiting", "timed_out", "failed")
    }
    return {"until": AT, "every_seconds": 1.0, **nothing, **series}


def hold(number: int = 1, **changes: Any) -> dict[str, Any]:
    seconds = changes.pop("seconds", 4.0)
    return {
        "id": f"hold-{number}",
        "holder": "POST /chat/{id}",
        "phase": "handler",
        "activity": "in_transaction",
        "activity_seconds": 0.8 * seconds,
        "seconds": seconds,
        "executing_seconds": 0.1 * seconds,
        "in_transaction_seconds": 0.8 * seconds,
        "idle_seconds": 0.1 * seconds,
        "waited_seconds": 0.0,
        "call_site": CHAT,
        "standing": AWAITING,
        "diagnosis": None,
        "backend_pid": 7000 + number,
        "overdue": False,
        "limit_seconds": 30.0,
        "limit_reason": None,
        "began_at": AT - seconds,
        "trace_id": None,
        **changes,
    }


def wait(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"wait-{number}",
        "holder": "GET /users/{id}",
        "stage": "queue",
        "seconds": 4.0,
        "call_site": {"file": "app/users.py", "line": 17, "function": "user"},
        "nested_in": None,
        **changes,
    }


def route(holder: str, connections: float, **changes: Any) -> dict[str, Any]:
    seconds = 300 * connections
    return {
        "holder": holder,
        "connections": connections,
        "seconds": seconds,
        "executing_seconds": 0.1 * seconds,
        "in_transaction_seconds": 0.8 * seconds,
        "idle_seconds": 0.1 * seconds,
        "wasted_ratio": 0.9,
        "blamed_seconds": 0.0,
        "timed_out": 0,
        "failed": 0,
        **changes,
    }


def incident(kind: str = "timed_out", **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "at": AT - 12,
        "since": None,
        "count": 1,
        "holder": "GET /users/{id}",
        "call_site": {"file": "app/users.py", "line": 17, "function": "user"},
        "seconds": 30.0,
        "text": "",
        **changes,
    }


def server(*, ours: Any = (), others: Any = (), **changes: Any) -> dict[str, Any]:
    """A server that answers, and how many sessions are in which state."""
    counts = {"ours": dict(ours), "others": dict(others)}
    return {
        "up": True,
        "at": AT - 4,
        "failures": 0,
        "error": None,
        "pooler": False,
        "max_connections": 100,
        "reserved_connections": 3,
        "role_limit": None,
        "database_limit": None,
        "sessions": [
            {"owner": owner, "state": state, "count": counts[owner].get(state, 0)}
            for owner in counts
            for state in ("active", "idle", "idle_in_transaction", "aborted", "unknown")
        ],
        "longest_transaction_seconds": {"ours": 0.0, "others": 0.0},
        **changes,
    }


def unanswered(error: str = "OperationalError", **changes: Any) -> dict[str, Any]:
    """What is left of a server that does not answer."""
    nothing: dict[str, Any] = {
        "sessions": [],  # its limits are what they were
        "longest_transaction_seconds": {},
    }
    return server(**{**nothing, "up": False, "error": error, "failures": 1, **changes})


def session(**changes: Any) -> dict[str, Any]:
    """What a server says of a hold."""
    return {
        "text": "",
        "seconds_ago": 4.0,
        "state": "idle_in_transaction",
        "state_seconds": 2.0,
        "transaction_seconds": None,
        "waits_for": None,
        "blocked_by": [],
        "blocks": 0,
        **changes,
    }


def blocker(pid: int = 7001, **changes: Any) -> dict[str, Any]:
    """Who has a lock."""
    return {
        "pid": pid,
        "holder": None,
        "state": "idle_in_transaction",
        "state_seconds": 2.0,
        "user": None,
        "application": None,
        **changes,
    }
