"""The frozen values everything else speaks in: waits, holds and what happens to connections.

Durations are kept as whole nanoseconds, because integers add up exactly: the three
activities of a hold sum to the hold, to the nanosecond, whatever was measured in between.
The `*_seconds` properties are for people and for exporters.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NANOSECONDS = 1_000_000_000

UNATTRIBUTED = "unattributed"
"""The holder of a connection that nobody put a name on."""

UNMATCHED = "unmatched"
"""The holder that stands for all requests to paths that no route matches."""

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
class TraceContext:
    """The span that was current when a connection was asked for, as W3C Trace Context has it."""

    trace_id: str
    span_id: str
    flags: int
    """The trace flags; `sampled` is one of them."""
    state: str = ""
    """What vendors have added to it: the `tracestate` header."""

    @property
    def sampled(self) -> bool:
        """Whether the trace is recorded."""
        return bool(self.flags & 1)


@dataclass(frozen=True, slots=True)
class Occupant:
    """Somebody who held connections while another waited for one."""

    holder: str
    call_site: CallSite | None
    connections: int
    """How many were held from this line."""

    def __str__(self) -> str:
        place = "" if self.call_site is None else f" at {self.call_site}"
        return f"{self.connections} x {self.holder}{place}"


@dataclass(frozen=True, slots=True)
class Wait:
    """From asking the pool until getting a connection or giving up."""

    pool: str
    holder: str
    call_site: CallSite | None
    began_ns: int
    """When the pool was asked, in nanoseconds of Unix time."""
    outcome: Outcome | None
    """How it ended; None while it still waits."""
    stage: Stage
    """What it is waiting for now, or was last."""
    queue_ns: int
    connect_ns: int
    ping_ns: int
    nested: bool = False
    """Whether the same request or task held a connection of this pool already."""
    nested_in: CallSite | None = None
    """If so, the line that had asked for the one it held."""
    trace: TraceContext | None = None
    """The span it is part of, where OpenTelemetry is in use."""
    suppressed: bool = False
    """Whether OpenTelemetry had been told to record nothing there."""
    held_by: tuple[Occupant, ...] = ()
    """Who held the connections that it had to queue for, most first; of waits that are over and
    had to queue for more than a moment."""

    @property
    def began_at(self) -> float:
        """Unix time at which the pool was asked."""
        return self.began_ns / NANOSECONDS

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
    began_ns: int
    """When the connection was handed over, in nanoseconds of Unix time."""
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
    limit_seconds: float
    """Its limit: `leak_after`, or what `expect_long_hold()` has said."""
    limit_reason: str | None = None
    """Why it has a limit of its own, in the words of `expect_long_hold()`."""
    phase: Phase | None = None
    """Where its request is now, or was at the end; None outside of requests."""
    handler_ns: int = 0
    response_ns: int = 0
    background_ns: int = 0
    detached_ns: int = 0
    trace: TraceContext | None = None
    """The span it is part of, where OpenTelemetry is in use."""
    suppressed: bool = False
    """Whether OpenTelemetry had been told to record nothing there."""
    first_statement_after_ns: int | None = None
    """How long after the connection was handed over its first statement began, if any."""
    committed_after_ns: int | None = None
    """How long after the connection was handed over its last commit was done, if any."""
    activity_for_ns: int = 0
    """For how long it has been doing without a break what it is doing now, or did last."""

    @property
    def began_at(self) -> float:
        """Unix time at which the connection was handed over."""
        return self.began_ns / NANOSECONDS

    @property
    def duration_ns(self) -> int:
        return self.executing_ns + self.in_transaction_ns + self.idle_ns

    @property
    def seconds(self) -> float:
        return self.duration_ns / NANOSECONDS

    @property
    def activity_for_seconds(self) -> float:
        return self.activity_for_ns / NANOSECONDS

    @property
    def executing_seconds(self) -> float:
        return self.executing_ns / NANOSECONDS

    @property
    def in_transaction_seconds(self) -> float:
        return self.in_transaction_ns / NANOSECONDS

    @property
    def idle_seconds(self) -> float:
        return self.idle_ns / NANOSECONDS

    @property
    def phase_ns(self) -> dict[Phase, int]:
        """Nanoseconds in each phase of its request; of nothing outside of requests."""
        split = (self.handler_ns, self.response_ns, self.background_ns, self.detached_ns)
        return {} if self.phase is None else dict(zip(Phase, split, strict=True))


@dataclass(frozen=True, slots=True)
class ConnectionOpened:
    """A connection to the database was opened."""

    pool: str
    create_ns: int | None = None
    """How long that has taken, where it could be measured."""


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
