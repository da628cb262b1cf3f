"""Which alerts say nothing new while another fires, as Alertmanager reads it."""

from __future__ import annotations

from typing import Any

from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.scope import PROCESS, SERVICE, By, Scope
from pool_observer.monitoring.settings import Settings

_INHIBITIONS: tuple[tuple[str, tuple[str, ...], By], ...] = (
    (
        "ConnectionPoolExhausted",
        (
            "ConnectionPoolNearlyFull",
            "ConnectionPoolAcquireSlow",
            "ConnectionPoolLongWaits",
            "ConnectionPoolReturnsBehind",
        ),
        PROCESS,
    ),
    ("ConnectionPoolQueueWait", ("ConnectionPoolAcquireSlow", "ConnectionPoolLongWaits"), PROCESS),
    # Nobody gets far with a connection, or gets one at all, whatever the pool's size.
    (
        "DatabaseNotAnswering",
        (
            "ConnectionPoolExhausted",
            "ConnectionPoolNearlyFull",
            "ConnectionPoolAcquireSlow",
            "ConnectionPoolQueueWait",
            "ConnectionPoolLongWaits",
            "ConnectionPoolChurn",
        ),
        SERVICE,
    ),
    ("EventLoopBlocked", ("ConnectionPoolAcquireSlow", "ConnectionPoolLongWaits"), PROCESS),
    ("ConnectionPoolLostConnections", ("ConnectionPoolLeak",), (*PROCESS, "holder")),
)
"""What inhibits, what is inhibited, and which labels must be the same."""


def inhibition(settings: Settings) -> dict[str, Any]:
    """The `inhibit_rules` of an Alertmanager's configuration."""
    scope = Scope(settings)
    rules = [
        {
            "source_matchers": [f'alertname="{source}"'],
            "target_matchers": [f'alertname=~"{"|".join(targets)}"'],
            "equal": scope.labels(by).split(", "),
        }
        for source, targets, by in _INHIBITIONS
    ]
    return {"inhibit_rules": [*rules, _urgent_first(scope)]}


def _urgent_first(scope: Scope) -> dict[str, Any]:
    """Of a budget that burns fast, nobody need hear that it burns slowly as well."""
    (name,) = {alert.name for alert in ALERTS if alert.burn is not None}
    return {
        "source_matchers": [f'alertname="{name}"', 'severity="critical"'],
        "target_matchers": [f'alertname="{name}"', 'severity="warning"'],
        "equal": scope.labels(SERVICE).split(", "),
    }
