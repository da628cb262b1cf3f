"""Sentences about a pool that `explain()` does not say, because a log has no use for them."""

from __future__ import annotations

from collections.abc import Iterator

from pool_observer.model import Stage
from pool_observer.server import Owner, ServerState
from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.groups import Waiters
from pool_observer.wording import in_words, one_line, plural

LATE = 0.1
"""Seconds from which on it is worth saying that an event loop is late."""

_STAGES = {
    Stage.QUEUE: "in the queue",
    Stage.CONNECT: "opening a connection",
    Stage.PING: "testing a connection",
}


def situation(pool: PoolNow) -> str:
    """How full the pool is, and how much of it is left."""
    return f"{pool.explanation.headline()}, {pool.idle} idle in the pool"


def notes(pool: PoolNow) -> Iterator[str]:
    """What went wrong lately."""
    if pool.timed_out:
        yield f"{pool.timed_out} gave up waiting in the last minute"
    if pool.failed:
        yield f"{plural(pool.failed, 'checkout')} failed in the last minute"
    # One that is blocked at this moment is told of anyway.
    late = 0.0 if pool.explanation.blocked_loops else pool.loop_lag or 0.0
    if late >= LATE:
        yield f"the event loop is late by {in_words(late)}"


def waiting(group: Waiters) -> str:
    """Who waits, for what and since when."""
    wait = group.first
    said = [
        f"{group.count} x {one_line(wait.holder)} {_STAGES[wait.stage]}",
        f"{'' if group.count == 1 else 'the first '}for {in_words(wait.seconds)}",
    ]
    if wait.call_site is not None:
        said.append(f"asked at {wait.call_site}")
    if wait.nested_in is not None:
        said.append(f"holding one already, taken at {wait.nested_in}")
    return one_line(", ".join(said))


def server(state: ServerState) -> Iterator[str]:
    """The database server's side."""
    if not state.up:
        why = "" if state.error is None else f" ({one_line(state.error)})"
        yield f"the database server does not answer the probe{why}"
        return
    usable = state.limits.max_connections
    room = "" if usable is None else f" of {usable - state.limits.reserved}"
    behind = ", through a pooler" if state.pooler else ""
    yield f"the database server has {state.total}{room} sessions{behind}"
    for owner, whose in ((Owner.OURS, "ours"), (Owner.OTHERS, "others'")):
        counts = [
            f"{count} {session.value.replace('_', ' ')}"
            for (owning, session), count in state.sessions.items()
            if owning is owner and count
        ]
        if counts:
            age = state.longest_transaction.get(owner, 0.0)
            longest = f"; the longest transaction {in_words(age)}" if age else ""
            yield f"  {whose}: {', '.join(counts)}{longest}"
