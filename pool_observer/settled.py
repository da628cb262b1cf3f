"""What one settling of a ledger comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from pool_observer.claim import Claim
from pool_observer.model import Event
from pool_observer.state import PoolTotals


@dataclass(slots=True)
class Settled:
    """A pool at the instant at which its totals were brought up to date."""

    now: int
    holding: list[Claim] = field(default_factory=list)
    """Who held a connection then, the longest held first."""
    waiting: list[Claim] = field(default_factory=list)
    """Who waited for one then, the longest waiting first."""
    events: list[Event] = field(default_factory=list)
    """What had ended since the last time, if that was asked."""
    totals: PoolTotals | None = None
    """The totals, if they were asked for."""
    overdue: list[Claim] = field(default_factory=list)
    """Holds that have been found to be overdue, each once; over by now, or not."""
    returned: list[Claim] = field(default_factory=list)
    """Holds that were overdue, and have been returned after all."""
    lost: list[Claim] = field(default_factory=list)
    """Holds whose connections were dropped without being returned."""
