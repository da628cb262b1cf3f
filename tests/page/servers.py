"""Pools whose database server says something, in every state that the page has a picture of."""

from __future__ import annotations

from typing import Any

from tests.page.documents import AT, blocker, hold, server, session, unanswered
from tests.page.scenes import down, exhausted, healthy

PAYING = {"file": "app/pay.py", "line": 21, "function": "pay"}
ROW_LOCK = "Lock: transactionid"
LOCKED = {
    "kind": "locked",
    "text": "one statement for 9.0 s, waiting for a lock of POST /pay (process 7001, idle in "
    "transaction for 9.4 s)",
    "mend": "commit there before whatever it waits for: a lock lasts as long as its transaction",
}


def roomy() -> dict[str, Any]:
    """A server with a lot of room."""
    return {
        **healthy(),
        "server": server(
            ours={"active": 1, "idle": 14, "idle_in_transaction": 3},
            others={"active": 2, "idle": 21},
            longest_transaction_seconds={"ours": 0.012, "others": 723.0},
            database_limit=60,
        ),
    }


def nearly_full() -> dict[str, Any]:
    """A server that has 4 of 97 left, while this pool is well."""
    return {
        **healthy(),
        "server": server(
            ours={"active": 5, "idle": 20, "idle_in_transaction": 14, "aborted": 2},
            others={"active": 8, "idle": 44},
            longest_transaction_seconds={"ours": 4.2, "others": 0.0},
            role_limit=50,
            database_limit=60,
        ),
    }


def silent() -> dict[str, Any]:
    """A server that answers neither the probe nor the application."""
    error = "OperationalError: it is starting up or shutting down"
    return {**down(), "server": unanswered(error, at=AT - 34, failures=5)}


def refused() -> dict[str, Any]:
    """A probe that was never let in, and an application that is well."""
    error = "ConnectionRefusedError"
    return {**healthy(), "server": unanswered(error, at=None)}


def pooled() -> dict[str, Any]:
    """Connections through a PgBouncer."""
    figures = server(
        ours={"active": 2, "idle": 3}, others={"idle": 2}, max_connections=20, pooler=True
    )
    return {**exhausted(), "server": figures}


def locked() -> dict[str, Any]:
    """One has a lock, and awaits a bank; three of its own kind and another client wait for it."""
    paying = {"holder": "POST /pay", "call_site": PAYING}
    culprit = hold(
        1,
        **paying,
        seconds=9.5,
        server=session(state_seconds=5.4, transaction_seconds=5.5, blocks=3),
    )
    us = {"holder": "POST /pay", "user": "shop", "application": "shop-api"}
    whose = blocker(7001, **us, state_seconds=5.4)
    waiting: dict[str, Any] = {
        "activity": "executing",
        "executing_seconds": 9.0,
        "in_transaction_seconds": 0.1,
        "idle_seconds": 0.0,
    }
    victims = [
        hold(
            number,
            **(paying | waiting),
            seconds=9.1,
            activity_seconds=9.0,
            diagnosis=LOCKED,
            server=session(
                state="active", state_seconds=5.0, waits_for=ROW_LOCK, blocked_by=[whose]
            ),
        )
        for number in (2, 3)
    ]
    client = blocker(812, user="deploy", application="psql", state_seconds=70.0)
    chained = hold(
        4,
        **waiting,
        holder="POST /orders/{id}/items",
        seconds=8.0,
        activity_seconds=7.5,
        server=session(
            state="active",
            state_seconds=3.5,
            transaction_seconds=4.1,
            waits_for="Lock: tuple",
            blocked_by=[client, blocker(813)],
            blocks=1,
        ),
    )
    young = hold(
        5,
        holder="GET /users/{id}",
        seconds=5.0,
        server=session(state="idle", state_seconds=None),
    )
    figures = server(
        ours={"active": 3, "idle_in_transaction": 1, "idle": 1}, others={"idle_in_transaction": 2}
    )
    return {**healthy(), "holds": [culprit, *victims, chained, young], "used": 5, "server": figures}
