"""Every question that dashboards and alerts ask, once."""

from __future__ import annotations

from pool_observer.monitoring.signal import Signal
from pool_observer.monitoring.signals.errors import ERRORS
from pool_observer.monitoring.signals.exporters import EXPORTERS
from pool_observer.monitoring.signals.holders import HOLDERS
from pool_observer.monitoring.signals.ourselves import OURSELVES
from pool_observer.monitoring.signals.pool import CAPACITY
from pool_observer.monitoring.signals.server import SERVER
from pool_observer.monitoring.signals.waiting import WAITING

SIGNALS: dict[str, Signal] = {
    **CAPACITY,
    **WAITING,
    **ERRORS,
    **HOLDERS,
    **SERVER,
    **EXPORTERS,
    **OURSELVES,
}
