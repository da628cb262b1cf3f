"""Reads what a live page tells of the database server."""

from __future__ import annotations

from pool_observer.advice.reading import Part
from pool_observer.explanation import ServerSide
from pool_observer.server import (
    Blocker,
    JoinedHold,
    Owner,
    ServerLimits,
    ServerState,
    Session,
    SessionState,
)
from pool_observer.terminal.words import known


def server_state(server: Part) -> ServerState:
    """The server as a whole."""
    sessions = {
        (known(Owner, each["owner"]), known(SessionState, each["state"])): each["count"].whole()
        for each in server["sessions"]
    }
    longest = server["longest_transaction_seconds"]
    return ServerState(
        up=server["up"].value is True,
        at=_seconds(server["at"]),
        failures=server["failures"].whole(),
        error=_text(server["error"]),
        limits=ServerLimits(
            max_connections=server["max_connections"].whole_or_none(),
            reserved=server["reserved_connections"].whole(),
            role=server["role_limit"].whole_or_none(),
            database=server["database_limit"].whole_or_none(),
        ),
        sessions=sessions,
        longest_transaction={
            owner: longest[owner.value].number()
            for owner in Owner
            if not longest.optional(owner.value).is_null
        },
        pooler=server["pooler"].value is True,
    )


def server_side(side: Part, holder: str, pid: int | None, key: int) -> ServerSide:
    """The session of a hold."""
    session = Session(
        pid=pid or 0,
        owner=Owner.OURS,
        state=known(SessionState, side["state"]),
        state_seconds=_seconds(side["state_seconds"]),
        transaction_seconds=_seconds(side["transaction_seconds"]),
        waits_for=_text(side["waits_for"]),
    )
    return ServerSide(
        side["seconds_ago"].number(),
        JoinedHold(
            key,
            holder,
            session,
            tuple(_blocker(each) for each in side["blocked_by"]),
            side["blocks"].whole(),
        ),
    )


def _blocker(blocker: Part) -> Blocker:
    pid, state = blocker["pid"].whole(), blocker["state"]
    holder = _text(blocker["holder"])
    if state.is_null:
        return Blocker(pid, holder)
    session = Session(
        pid=pid,
        owner=Owner.OTHERS if holder is None else Owner.OURS,
        state=known(SessionState, state),
        state_seconds=_seconds(blocker["state_seconds"]),
        user=_text(blocker["user"]),
        application=_text(blocker["application"]),
    )
    return Blocker(pid, holder, session)


def _seconds(part: Part) -> float | None:
    return None if part.is_null else part.number()


def _text(part: Part) -> str | None:
    return None if part.is_null else part.text()
