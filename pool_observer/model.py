"""The frozen values everything else speaks in: waits, holds and the state of a pool.

Durations are kept as whole nanoseconds, because integers add up exactly: the three
activities of a hold sum to the hold, to the nanosecond, whatever was measured in between.
The `*_seconds` properties are for people and for exporters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

NANOSECONDS = 1_000_000_000

UNATTRIBUTED = "unattributed"
"""The holder of a connection that nobody put a name on."""

OTHER = "other"
"""The holder that stands for all those beyond the bound on distinct holders."""


class Outcome(StrEnum):
    """How a wait ended."""

    ACQUIRED = "acquired"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Stage(StrEnum):
    """What a wait is made of: queueing for a connection, opening one, testing one."""

    QUEUE = "queue"
    CONNECT = "connect"
    PING = "ping"


class Activity(StrEnum):
    """What a hold is being spent on, at one instant."""

    EXECUTING = "executing"
    IN_TRANSACTION = "in_transaction"
    IDLE = "idle"


class Phase(StrEnum):
    """Where the request is while it holds a connection."""

    HANDLER = "handler"
    RESPONSE = "response"
    BACKGROUND = "background"
    DETACHED = "detached"


class Ending(StrEnum):
    """How a hold ended."""

    CHECKIN = "checkin"
    DETACHED = "detached"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CallSite:
    """The line of the application that asked for a connection."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class Wait:
    """From asking the pool until getting a connection or giving up."""

    pool: str
    holder: str
    call_site: CallSite | None
    began_at: float
    """Unix time at which the pool was asked."""
    outcome: Outcome | None
    """How it ended; None while it still waits."""
    stage: Stage
    """What it is waiting for now, or was last."""
    queue_ns: int
    connect_ns: int
    ping_ns: int

    @property
    def duration_ns(self) -> int:
        return self.queue_ns + self.connect_ns + self.ping_ns

    @property
    def seconds(self) -> float:
        return self.duration_ns / NANOSECONDS

    @property
    def queue_seconds(self) -> float:
        return self.queue_ns / NANOSECONDS

    @property
    def connect_seconds(self) -> float:
        return self.connect_ns / NANOSECONDS

    @property
    def ping_seconds(self) -> float:
        return self.ping_ns / NANOSECONDS


@dataclass(frozen=True, slots=True)
class Hold:
    """From getting a connection until check-in, detach or loss."""

    pool: str
    holder: str
    call_site: CallSite | None
    began_at: float
    """Unix time at which the connection was handed over."""
    ending: Ending | None
    """How it ended; None while the connection is still out."""
    activity: Activity
    """What it is doing now, or was doing last."""
    executing_ns: int
    in_transaction_ns: int
    idle_ns: int
    waited_ns: int
    """How long its holder had waited for it."""
    backend_pid: int | None
    """The server process behind the connection, as the driver knows it."""
    overdue: bool
    """Whether it is, or was, out for longer than its limit."""

    @property
    def duration_ns(self) -> int:
        return self.executing_ns + self.in_transaction_ns + self.idle_ns

    @property
    def seconds(self) -> float:
        return self.duration_ns / NANOSECONDS

    @property
    def executing_seconds(self) -> float:
        return self.executing_ns / NANOSECONDS

    @property
    def in_transaction_seconds(self) -> float:
        return self.in_transaction_ns / NANOSECONDS

    @property
    def idle_seconds(self) -> float:
        return self.idle_ns / NANOSECONDS


@dataclass(frozen=True, slots=True)
class ConnectionOpened:
    """A connection to the database was opened."""

    pool: str


@dataclass(frozen=True, slots=True)
class ConnectionClosed:
    """A connection to the database was closed, by the pool or after it was detached."""

    pool: str


@dataclass(frozen=True, slots=True)
class ConnectionInvalidated:
    """A connection was declared unusable; `soft` ones are replaced at their next checkout."""

    pool: str
    soft: bool


Event = Wait | Hold | ConnectionOpened | ConnectionClosed | ConnectionInvalidated
"""What an observer tells its listeners about, each when it is over."""


@dataclass(frozen=True, slots=True)
class HolderTotals:
    """What one holder has done to the pool since it was observed. All figures are cumulative."""

    checkouts: int = 0
    returns: Mapping[Ending, int] = field(default_factory=dict)
    waits: Mapping[Outcome, int] = field(default_factory=dict)
    queue_ns: int = 0
    connect_ns: int = 0
    ping_ns: int = 0
    activity_ns: Mapping[Activity, int] = field(default_factory=dict)
    """Open holds are counted as they run, so this does not wait for a connection to return."""


@dataclass(frozen=True, slots=True)
class PoolTotals:
    """What has happened in the pool since it was observed. All figures are cumulative."""

    holders: Mapping[str, HolderTotals] = field(default_factory=dict)
    connections_opened: int = 0
    connections_closed: int = 0
    connections_invalidated: int = 0
    dropped_events: int = 0
    """Finished waits and holds we had no room for: they are missing from these totals."""
    internal_errors: Mapping[str, int] = field(default_factory=dict)
    """Failures inside pool_observer by place. None of them reached the application."""


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool at one instant."""

    name: str
    at: float
    """Unix time of this snapshot."""
    used: int
    """Connections that are out now.

    Those taken before the observer was attached are included, for as long as the pool they
    came from is the engine's: of a pool that `dispose()` has replaced nobody keeps count.
    """
    idle: int
    """Open connections that rest in the pool now."""
    waiting: int
    """Callers that have asked for a connection and not got one yet, now."""
    max: int | None
    """The most connections the pool will ever hand out; None if it has no limit."""
    utilization: float | None
    """The share of the pool in use now, 1.0 when it is full; None if it has no limit.

    After `dispose()`, connections of the pool that was replaced are `used`, but do not fill
    the new one.
    """
    drift: int | None
    """`used` less the pool's own count. None where the pool keeps no count.

    0, or a bug; except that a connection which changes hands at this very instant, in another
    thread, may be in the one count and not yet in the other.
    """
    open_holds: tuple[Hold, ...]
    """The connections that are out now, the longest held first."""
    open_waits: tuple[Wait, ...]
    """The callers that are waiting now, the longest waiting first."""
    totals: PoolTotals
    closed: bool = False
    """Whether the observer had been closed: then this is how it last saw the pool."""

    @property
    def oldest_hold_seconds(self) -> float:
        """Age of the longest hold that is still open now, 0 if there is none."""
        return self.open_holds[0].seconds if self.open_holds else 0.0

    @property
    def oldest_wait_seconds(self) -> float:
        """Age of the longest wait that is still going on now, 0 if there is none."""
        return self.open_waits[0].seconds if self.open_waits else 0.0

    @property
    def overdue(self) -> int:
        """Connections that are out now for longer than their limit."""
        return sum(hold.overdue for hold in self.open_holds)

    @property
    def unseen(self) -> int:
        """Connections that were out before the observer was attached, and still are."""
        return self.used - len(self.open_holds)
