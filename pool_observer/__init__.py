"""pool_observer: who is holding our database connections, why, and what do we change?"""

from pool_observer.listener import Listener
from pool_observer.model import (
    Activity,
    CallSite,
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Ending,
    Hold,
    HolderTotals,
    Outcome,
    Phase,
    PoolState,
    PoolTotals,
    Stage,
    Wait,
)
from pool_observer.observer import PoolObserver
from pool_observer.thresholds import Thresholds
from pool_observer.wiring import observe

__all__ = [
    "Activity",
    "CallSite",
    "ConnectionClosed",
    "ConnectionInvalidated",
    "ConnectionOpened",
    "Ending",
    "Hold",
    "HolderTotals",
    "Listener",
    "Outcome",
    "Phase",
    "PoolObserver",
    "PoolState",
    "PoolTotals",
    "Stage",
    "Thresholds",
    "Wait",
    "observe",
]
