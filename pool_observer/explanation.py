"""What is found out about holds that last: where the holder stands, what is wrong, what mends it.

Frozen values, made on demand: they cost more than the figures of a snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pool_observer.model import CallSite, Hold
from pool_observer.server import Blocker, JoinedHold, Session
from pool_observer.wording import in_words, one_line, plural

WORTH_SAYING = 0.5
"""Seconds that a transaction must be older than what it does now to be mentioned by itself."""


class Doing(StrEnum):
    """What the task or thread that holds a connection is doing."""

    AWAITING = "awaiting"
    """It is suspended until something happens."""
    RUNNING = "running"
    """It executes code, or waits inside a call that blocks its thread."""
    BLOCKED = "blocked"
    """It cannot go on, because something else blocks its event loop."""
    FINISHED = "finished"
    """It is over, or gone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task or thread stands."""

    doing: Doing
    at: CallSite | None = None
    """The innermost line that is the application's own."""
    calling: CallSite | None = None
    """What that line calls, or awaits, of a library."""
    innermost: CallSite | None = None
    """Where it has come to in there."""

    def __str__(self) -> str:
        if self.doing is Doing.FINISHED:
            return "finished"
        verb = "awaiting" if self.doing is not Doing.RUNNING else "in"
        if self.at is None and self.innermost is not None:
            return f"{verb} {self.innermost}"
        inside = "" if self.calling is None else f"{verb} {self.calling}"
        if self.innermost not in (None, self.calling, self.at):
            inside += f" ({self.innermost})"
        return ", ".join(part for part in (str(self.at or ""), inside) if part) or self.doing.value


class Trouble(StrEnum):
    """What can be wrong with a hold."""

    FINISHED = "finished"
    SECOND_CONNECTION = "second_connection"
    LOOP_BLOCKED = "loop_blocked"
    LOCKED = "locked"
    LONG_QUERY = "long_query"
    STREAMING = "streaming"
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    IDLE = "idle"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a hold, and what mends it."""

    kind: Trouble
    text: str
    """What is the matter, in words that follow the holder's name."""
    mend: str
    """What to change."""


@dataclass(frozen=True, slots=True)
class BlockedLoop:
    """An event loop that does not run what is due."""

    seconds: float
    standing: Standing | None
    """What blocks it."""


@dataclass(frozen=True, slots=True)
class ServerSide:
    """What the server has said of a hold's session, a little earlier."""

    seconds_ago: float
    joined: JoinedHold

    def __str__(self) -> str:
        joined = self.joined
        said = [_doing(joined.session)]
        age = joined.session.transaction_seconds
        if age is not None and age - (joined.session.state_seconds or 0.0) > WORTH_SAYING:
            said.append(f"transaction open for {in_words(age)}")
        if joined.session.waits_for is not None:
            said.append(f"waits for {one_line(joined.session.waits_for)}")
        if joined.blocked_by:
            said[-1] += f" of {self.blockers()}"
        if joined.blocks:
            wait = "waits" if joined.blocks == 1 else "wait"
            said.append(f"{plural(joined.blocks, 'session')} {wait} for its locks")
        return f"{', '.join(said)} ({in_words(self.seconds_ago)} ago)"

    def blockers(self) -> str:
        """Who has the lock that it waits for; of many, the first."""
        first, *others = self.joined.blocked_by
        more = f" and {len(others)} more" if others else ""
        return f"{_named(first)}{more}"


def _doing(session: Session) -> str:
    """What a session does, and for how long."""
    doing = session.state.value.replace("_", " ")
    return (
        doing if session.state_seconds is None else f"{doing} for {in_words(session.state_seconds)}"
    )


def _named(blocker: Blocker) -> str:
    if blocker.pid == 0:
        return "a prepared transaction"
    session = blocker.session
    known = [f"process {blocker.pid}"]
    if session is not None:
        if blocker.holder is None:
            known += [one_line(each) for each in (session.user, session.application) if each]
        known.append(_doing(session))
    who = "another client" if blocker.holder is None else one_line(blocker.holder)
    return f"{who} ({', '.join(known)})"


@dataclass(frozen=True, slots=True)
class ExplainedHold:
    """A hold, where its holder stands, and what is wrong with it."""

    key: int
    """Tells it from all others of its pool that are open."""
    hold: Hold
    standing: Standing | None
    """None where nothing tells: of what was asked for on a thread that nobody knows."""
    diagnosis: Diagnosis | None
    """None while nothing seems to be wrong."""
    server: ServerSide | None = None
    """Its session on the server, if the server is asked (`server_probe`) and was while this hold
    was open."""
