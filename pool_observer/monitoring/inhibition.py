"""Which alerts say nothing new while another fires, as Alertmanager reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.scope import INSTANCE, JOB, PROCESS, SERVICE, By, Scope
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
    # Only what can wait: it may be the probe alone that is refused.
    (
        "DatabaseNotAnswering",
        (
            "ConnectionPoolNearlyFull",
            "ConnectionPoolAcquireSlow",
            "ConnectionPoolLongWaits",
            "ConnectionPoolChurn",
        ),
        SERVICE,
    ),
    (
        "EventLoopBlocked",
        ("ConnectionPoolAcquireSlow", "ConnectionPoolLongWaits"),
        (JOB, INSTANCE),
    ),
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
    return {"inhibit_rules": [*rules, *_urgent_first(scope)]}


def _urgent_first(scope: Scope) -> Iterator[dict[str, Any]]:
    """Of a budget that burns fast, nobody need hear that it burns slowly as well."""
    burns = [alert for alert in ALERTS if alert.burn is not None]
    for place, alert in enumerate(burns[:-1]):
        slower = [each.labels(scope)["window"] for each in burns[place + 1 :]]
        yield {
            "source_matchers": [
                f'alertname="{alert.name}"',
                f'window="{alert.labels(scope)["window"]}"',
            ],
            "target_matchers": [f'alertname="{alert.name}"', f'window=~"{"|".join(slower)}"'],
            "equal": scope.labels(SERVICE).split(", "),
        }
