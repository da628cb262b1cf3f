"""The other side of a pool: what the database server says of its sessions, ours and others'.

Frozen values, as of the last time that the probe looked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Owner(StrEnum):
    """Whose session it is, as far as the server can tell."""

    OURS = "ours"
    """Of the role and the database that the pool's connections use: this application, in
    whichever process."""
    OTHERS = "others"


class SessionState(StrEnum):
    """What a session does, by the server's account."""

    ACTIVE = "active"
    IDLE = "idle"
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    ABORTED = "aborted"
    """Idle in a transaction in which a statement has failed."""
    UNKNOWN = "unknown"
    """The probe may not see it: another role's, and no right to look."""


@dataclass(frozen=True, slots=True)
class Session:
    """A connection, as the server sees it."""

    pid: int
    """Its server process; in MySQL, its thread."""
    owner: Owner
    state: SessionState
    state_seconds: float | None = None
    """For how long it has been in that state."""
    transaction_seconds: float | None = None
    """Age of its open transaction; None if there is none."""
    waits_for: str | None = None
    """What it waits for in the server, such as `Lock: transactionid`."""
    blocked_by: tuple[int, ...] = ()
    """Who is before it in the queue for a lock. 0 is a prepared transaction."""
    user: str | None = None
    application: str | None = None
    """What it calls itself, `application_name`."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How many sessions the server takes, and for how long it bears with them."""

    max_connections: int | None = None
    reserved: int = 0
    """Of these, how many are not for ordinary roles."""
    role: int | None = None
    """The most that the role may have; None without a limit."""
    database: int | None = None
    """The most that the database may have; None without a limit."""
    idle_in_transaction_timeout: float | None = None
    """Seconds after which the server ends such a session; None if it never does."""

    @property
    def usable(self) -> int | None:
        """How many sessions the application could have if nobody else had any."""
        limits = [limit for limit in (self.role, self.database) if limit is not None]
        if self.max_connections is not None:
            limits.append(self.max_connections - self.reserved)
        return min(limits, default=None)


@dataclass(frozen=True, slots=True)
class Blocker:
    """Who has a lock that a session waits for."""

    pid: int
    holder: str | None = None
    """Whose hold it is, if it is one of this pool."""
    session: Session | None = None
    """None of a prepared transaction, or if it was gone a moment later."""
    key: int | None = None
    """What tells its hold from others."""


@dataclass(frozen=True, slots=True)
class JoinedHold:
    """A hold of the pool, and the session that it is on the server."""

    key: int
    """Tells the hold from all others of its pool that are open."""
    holder: str
    session: Session
    blocked_by: tuple[Blocker, ...] = ()
    """On whom it waits in the end: who only waits like itself is left out."""
    blocks: int = 0
    """How many sessions wait because of it, and for nobody who waits as well."""
    seen_ns: int = 0
    """When the probe looked, on the clock that holds are timed with."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the probe last found out."""

    up: bool
    """Whether it was answered."""
    at: float | None = None
    """Unix time of the last answer."""
    failures: int = 0
    """How often it was not answered so far."""
    error: str | None = None
    """Why not, the last time; None if it was."""
    limits: ServerLimits = field(default_factory=ServerLimits)
    sessions: Mapping[tuple[Owner, SessionState], int] = field(default_factory=dict)
    longest_transaction: Mapping[Owner, float] = field(default_factory=dict)
    """Age of the oldest transaction of each, in seconds."""
    pooler: bool = False
    """Whether something between us and the server has connections of its own, so that the PIDs
    that our driver knows are not the server's and nothing can be joined."""
    holds: tuple[JoinedHold, ...] = ()
    """The pool's holds that were open all the while the probe looked."""

    @property
    def asked(self) -> bool:
        """Whether the probe has looked yet: it does so when the pool is used."""
        return self.at is not None or self.error is not None

    @property
    def total(self) -> int:
        """All sessions there were."""
        return sum(self.sessions.values())


def not_asked() -> None:
    """What is known of a server that nobody asks."""
