"""What the database server says, as JSON has it."""

from __future__ import annotations

import pytest

from pool_observer.explanation import ServerSide
from pool_observer.page.database import server_side, server_state
from pool_observer.server import (
    Blocker,
    JoinedHold,
    Owner,
    ServerLimits,
    ServerState,
    Session,
    SessionState,
)

WAITING = Session(
    pid=12,
    owner=Owner.OURS,
    state=SessionState.ACTIVE,
    state_seconds=3.0,
    transaction_seconds=4.0,
    waits_for="Lock: tuple",
    blocked_by=(7, 0),
    user="app",
    application="orders",
)
IDLE = Session(
    pid=7,
    owner=Owner.OTHERS,
    state=SessionState.IDLE_IN_TRANSACTION,
    state_seconds=5.0,
    user="deploy",
    application="psql",
)


def test_a_server_that_answers() -> None:
    state = ServerState(
        up=True,
        at=1000.0,
        failures=2,
        limits=ServerLimits(max_connections=100, reserved=3, role=50, database=60),
        sessions={(Owner.OURS, SessionState.ABORTED): 2, (Owner.OTHERS, SessionState.IDLE): 7},
        longest_transaction={Owner.OURS: 1.5, Owner.OTHERS: 0.0},
        pooler=True,
    )
    assert server_state(state) == {
        "up": True,
        "at": 1000.0,
        "failures": 2,
        "error": None,
        "pooler": True,
        "max_connections": 100,
        "reserved_connections": 3,
        "role_limit": 50,
        "database_limit": 60,
        "sessions": [
            {"owner": "ours", "state": "aborted", "count": 2},
            {"owner": "others", "state": "idle", "count": 7},
        ],
        "longest_transaction_seconds": {"ours": 1.5, "others": 0.0},
    }


def test_a_server_that_does_not_answer() -> None:
    state = server_state(ServerState(up=False, failures=1, error="it refuses this role"))
    assert state is not None
    assert (state["up"], state["at"], state["error"]) == (False, None, "it refuses this role")
    assert (state["max_connections"], state["sessions"]) == (None, [])


@pytest.mark.parametrize("state", [None, ServerState(up=False)])
def test_a_server_that_has_not_been_asked_is_not_told(state: ServerState | None) -> None:
    assert server_state(state) is None


def test_a_hold_that_waits_for_a_lock() -> None:
    blockers = (Blocker(7, "POST /pay", IDLE), Blocker(0))
    side = ServerSide(0.5, JoinedHold(1, "GET /", WAITING, blockers, blocks=3))
    assert server_side(side) == {
        "text": str(side),
        "seconds_ago": 0.5,
        "state": "active",
        "state_seconds": 3.0,
        "transaction_seconds": 4.0,
        "waits_for": "Lock: tuple",
        "blocked_by": [
            {
                "pid": 7,
                "holder": "POST /pay",
                "state": "idle_in_transaction",
                "state_seconds": 5.0,
                "user": "deploy",
                "application": "psql",
            },
            {
                "pid": 0,
                "holder": None,
                "state": None,
                "state_seconds": None,
                "user": None,
                "application": None,
            },
        ],
        "blocks": 3,
    }


@pytest.mark.parametrize("session", [WAITING, IDLE])
def test_whose_session_a_hold_has_is_not_told(session: Session) -> None:
    """It is the application's, whose role and name are its own business."""
    side = server_side(ServerSide(0.0, JoinedHold(1, "GET /", session)))
    assert not {"user", "application"} & side.keys()
