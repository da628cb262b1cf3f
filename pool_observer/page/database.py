"""What the database server says, as JSON has it."""

from __future__ import annotations

from typing import Any

from pool_observer.explanation import ServerSide
from pool_observer.server import Blocker, ServerState

Json = dict[str, Any]


def server_state(server: ServerState | None) -> Json | None:
    """The server as a whole; None while it is not asked."""
    if server is None or not server.asked:
        return None
    limits = server.limits
    return {
        "up": server.up,
        "at": server.at,
        "failures": server.failures,
        "error": server.error,
        "pooler": server.pooler,
        "max_connections": limits.max_connections,
        "reserved_connections": limits.reserved,
        "role_limit": limits.role,
        "database_limit": limits.database,
        "sessions": [
            {"owner": owner.value, "state": state.value, "count": count}
            for (owner, state), count in server.sessions.items()
        ],
        "longest_transaction_seconds": {
            owner.value: seconds for owner, seconds in server.longest_transaction.items()
        },
    }


def server_side(side: ServerSide) -> Json:
    """The session of a hold."""
    session = side.joined.session
    return {
        "text": str(side),
        "seconds_ago": side.seconds_ago,
        "state": session.state.value,
        "state_seconds": session.state_seconds,
        "transaction_seconds": session.transaction_seconds,
        "waits_for": session.waits_for,
        "blocked_by": [_blocker(blocker) for blocker in side.joined.blocked_by],
        "blocks": side.joined.blocks,
    }


def _blocker(blocker: Blocker) -> Json:
    session = blocker.session
    return {
        "pid": blocker.pid,
        "holder": blocker.holder,
        "state": None if session is None else session.state.value,
        "state_seconds": None if session is None else session.state_seconds,
        "user": None if session is None else session.user,
        "application": None if session is None else session.application,
    }
