"""What is found out about holds that last: where the holder stands, what is wrong, what mends it.

Frozen values, made on demand: they cost more than the figures of a snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pool_observer.model import CallSite, Hold


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
class ExplainedHold:
    """A hold, where its holder stands, and what is wrong with it."""

    key: int
    """Tells it from all others of its pool that are open."""
    hold: Hold
    standing: Standing | None
    """None where nothing tells: of what was asked for on a thread that nobody knows."""
    diagnosis: Diagnosis | None
    """None while nothing seems to be wrong."""
