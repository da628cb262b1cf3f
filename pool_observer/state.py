"""A pool at one instant, and what has happened in it so far: what a snapshot is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pool_observer.model import Activity, CallSite, Ending, Hold, Outcome, Phase, Wait


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
    phase_ns: Mapping[Phase, int] = field(default_factory=dict)
    """The same time by phase, as far as it was held by requests."""
    nested: int = 0
    """How often it asked for a connection while it held one of this pool."""


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
