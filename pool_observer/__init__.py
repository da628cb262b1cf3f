"""pool_observer: who is holding our database connections, why, and what do we change?"""

from importlib import import_module
from typing import TYPE_CHECKING

from pool_observer.asgi.middleware import PoolObserverMiddleware
from pool_observer.expecting import expect_long_hold
from pool_observer.explanation import (
    BlockedLoop,
    Diagnosis,
    Doing,
    ExplainedHold,
    ServerSide,
    Standing,
    Trouble,
)
from pool_observer.holding import holding
from pool_observer.incidents import Incident, IncidentKind
from pool_observer.listener import Listener
from pool_observer.model import (
    Activity,
    CallSite,
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Ending,
    Hold,
    Occupant,
    Outcome,
    Phase,
    Stage,
    TraceContext,
    Wait,
)
from pool_observer.observer import PoolObserver
from pool_observer.prometheus.app import metrics_app
from pool_observer.server import (
    Blocker,
    JoinedHold,
    Owner,
    ServerLimits,
    ServerState,
    Session,
    SessionState,
)
from pool_observer.state import (
    Distribution,
    Exemplar,
    HolderTotals,
    Nesting,
    PoolSettings,
    PoolState,
    PoolTotals,
)
from pool_observer.summary import Explanation
from pool_observer.thresholds import Thresholds
from pool_observer.wiring import observe

if TYPE_CHECKING:
    from pool_observer.audit.facts import Deployment
    from pool_observer.audit.finding import Finding, Severity
    from pool_observer.opentelemetry.settings import OpenTelemetry
    from pool_observer.page.access import Visitor
    from pool_observer.page.showing import debug_app
    from pool_observer.probe.settings import ServerProbe
else:
    # What many services do not use is imported by those that do.
    _ON_DEMAND = {
        "Deployment": "audit.facts",
        "Finding": "audit.finding",
        "OpenTelemetry": "opentelemetry.settings",
        "ServerProbe": "probe.settings",
        "Severity": "audit.finding",
        "Visitor": "page.access",
        "debug_app": "page.showing",
    }

    def __getattr__(name):
        if name not in _ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f"{__name__}.{_ON_DEMAND[name]}")
        return getattr(module, name)

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "Activity",
    "BlockedLoop",
    "Blocker",
    "CallSite",
    "ConnectionClosed",
    "ConnectionInvalidated",
    "ConnectionOpened",
    "Deployment",
    "Diagnosis",
    "Distribution",
    "Doing",
    "Ending",
    "Exemplar",
    "ExplainedHold",
    "Explanation",
    "Finding",
    "Hold",
    "HolderTotals",
    "Incident",
    "IncidentKind",
    "JoinedHold",
    "Listener",
    "Nesting",
    "Occupant",
    "OpenTelemetry",
    "Outcome",
    "Owner",
    "Phase",
    "PoolObserver",
    "PoolObserverMiddleware",
    "PoolSettings",
    "PoolState",
    "PoolTotals",
    "ServerLimits",
    "ServerProbe",
    "ServerSide",
    "ServerState",
    "Session",
    "SessionState",
    "Severity",
    "Stage",
    "Standing",
    "Thresholds",
    "TraceContext",
    "Trouble",
    "Visitor",
    "Wait",
    "debug_app",
    "expect_long_hold",
    "holding",
    "metrics_app",
    "observe",
]
