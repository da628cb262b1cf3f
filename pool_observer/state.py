"""A pool at one instant, and what has happened in it so far: what a snapshot is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pool_observer.buckets import CREATE_BOUNDS, USE_BOUNDS, WAIT_BOUNDS, Bounds
from pool_observer.model import (
    NANOSECONDS,
    Activity,
    CallSite,
    Ending,
    Hold,
    Outcome,
    Phase,
    TraceContext,
    Wait,
)
from pool_observer.server import ServerState


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One of the durations in a bucket, and the trace it can be looked up in."""

    trace: TraceContext
    seconds: float
    at: float
    """Unix time at which it ended."""


NO_EXEMPLARS: Mapping[int, Exemplar] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many durations were of what size. All figures are cumulative."""

    bounds: Bounds
    """The upper bounds of the buckets in seconds, each part of its bucket."""
    counts: tuple[int, ...]
    """Durations in each bucket, and last those above all bounds."""
    sum_ns: int
    exemplars: Mapping[int, Exemplar] = field(default_factory=lambda: NO_EXEMPLARS)
    """The last sampled trace in a bucket, by the bucket's number."""

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def sum_seconds(self) -> float:
        return self.sum_ns / NANOSECONDS


def _nothing(bounds: Bounds) -> Distribution:
    return Distribution(bounds, (0,) * (len(bounds) + 1), 0)


_NO_WAITS = _nothing(WAIT_BOUNDS)
_NO_HOLDS = _nothing(USE_BOUNDS)
_NO_CREATIONS = _nothing(CREATE_BOUNDS)


@dataclass(frozen=True, slots=True)
class HolderTotals:
    """What one holder has done to the pool since it was observed. All figures are cumulative."""

    # Numbers rather than mappings of them: there may be hundreds of these in a scrape, and
    # everything that the garbage collector has to look at holds up the whole process.
    checkouts: int = 0
    timed_out: int = 0
    cancelled: int = 0
    failed: int = 0
    """How its waits have ended that got no connection."""
    checkins: int = 0
    detached: int = 0
    lost: int = 0
    """How its holds have ended."""
    queue_ns: int = 0
    connect_ns: int = 0
    ping_ns: int = 0
    executing_ns: int = 0
    in_transaction_ns: int = 0
    idle_ns: int = 0
    """Open holds are counted as they run, so this does not wait for a connection to return."""
    handler_ns: int = 0
    response_ns: int = 0
    background_ns: int = 0
    detached_ns: int = 0
    """The same time by phase, as far as it was held by requests."""
    nested: int = 0
    """How often it asked for a connection while it held one of this pool."""
    wait_time: Distribution = _NO_WAITS
    """How long it has waited, whatever the outcome."""
    use_time: Distribution = _NO_HOLDS
    """How long its holds have lasted that are over."""
    overdue: int = 0
    """How many of its holds have been out for longer than their limit."""
    blamed_seconds: float = 0.0
    """How long others have queued on its account.

    While somebody queues, each connection that is held bears an equal share of it.
    """

    @property
    def waits(self) -> dict[Outcome, int]:
        """How many of its waits have ended, and how."""
        counts = (self.checkouts, self.timed_out, self.cancelled, self.failed)
        return dict(zip(Outcome, counts, strict=True))

    @property
    def returns(self) -> dict[Ending, int]:
        """How many of its holds have ended, and how."""
        return dict(zip(Ending, (self.checkins, self.detached, self.lost), strict=True))

    @property
    def activity_ns(self) -> dict[Activity, int]:
        """What its holds were spent on."""
        split = (self.executing_ns, self.in_transaction_ns, self.idle_ns)
        return dict(zip(Activity, split, strict=True))

    @property
    def phase_ns(self) -> dict[Phase, int]:
        """Where its requests were meanwhile."""
        split = (self.handler_ns, self.response_ns, self.background_ns, self.detached_ns)
        return dict(zip(Phase, split, strict=True))


@dataclass(frozen=True, slots=True)
class Nesting:
    """Two lines, the second of which asks for a connection while the first still holds one.

    Where every connection is held by somebody at the first, nobody gets past the second.
    """

    holder: str
    outer: CallSite | None
    inner: CallSite | None


@dataclass(frozen=True, slots=True)
class PoolTotals:
    """What has happened in the pool since it was observed. All figures are cumulative."""

    holders: Mapping[str, HolderTotals] = field(default_factory=dict)
    nestings: Mapping[Nesting, int] = field(default_factory=dict)
    """How often each pair of lines has nested; the first thousand pairs."""
    full_ns: int = 0
    """How long as many connections as the pool has were held or asked for."""
    full_times: int = 0
    """How often that began."""
    create_time: Distribution = _NO_CREATIONS
    """How long it has taken to open connections."""
    connections_opened: int = 0
    connections_closed: int = 0
    connections_invalidated: int = 0
    dropped_events: int = 0
    """Finished waits and holds we had no room for: they are missing from these totals."""
    internal_errors: Mapping[str, int] = field(default_factory=dict)
    """Failures inside pool_observer by place. None of them reached the application."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """How a pool is configured. What does not apply to this kind of pool is None."""

    pool_class: str
    dialect: str
    driver: str
    size: int | None = None
    max_overflow: int | None = None
    timeout: float | None = None
    recycle: float | None = None
    """Seconds; None if connections are kept whatever their age."""
    pre_ping: bool | None = None


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
    idle_max: int | None = None
    """The most connections the pool keeps when nobody uses them; None if it has no limit."""
    settings: PoolSettings | None = None
    """How the pool is configured; None when it is gone."""
    event_loop_lag_seconds: float | None = None
    """How late the event loop that uses the pool runs what is due, at the worst of the last
    seconds; None where no event loop does."""
    server: ServerState | None = None
    """What the database server last said of its sessions, if it is asked (`server_probe`)."""
    closed: bool = False
    """Whether the observer had been closed: then this is how it last saw the pool."""
    peak_demand: int = 0
    """The most connections that were held or asked for at the same time within the last minute.

    Above `max`, as many as that had to queue. Connections of a pool that `dispose()` has
    replaced are not among them.
    """

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
