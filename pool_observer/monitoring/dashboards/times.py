"""When something happened: alerts that fire, and processes that began anew."""

from __future__ import annotations

from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.scope import INSTANCE, JOB, POOL, SERVICE, By, Scope, duration
from pool_observer.monitoring.signal import Signal


def _firing(scope: Scope, _by: By) -> str:
    """Our alerts. Those of a whole service have no instance, so that does not select them, and
    those of a whole process no pool: they concern any.
    """
    names = "|".join(dict.fromkeys(alert.name for alert in ALERTS))
    settings = scope.settings
    chosen = [
        f'{label}=~"${name}"' for name, label in settings.variables.items() if name != "instance"
    ]
    chosen.append(f'{scope.labels((POOL,))}=~"$pool|"')
    return f'ALERTS{{alertstate="firing", alertname=~"{names}", {", ".join(chosen)}}}'


def _began_to_fire(scope: Scope, by: By) -> str:
    """The first minute of each: more of it would cover the picture."""
    firing, labels = _firing(scope, by), scope.labels(by)
    return f"group by ({labels}) ({firing})\nunless\ngroup by ({labels}) ({firing} offset 1m)"


def _restarts(scope: Scope, by: By) -> str:
    """A total that has fallen began anew, and so did its process: the first minute of each.

    The span must be longer than a process is away, and than two scrapes.
    """
    over, labels = duration(scope.settings.thresholds.rate_window * 2), scope.labels(by)
    checkouts = scope.series("pool_observer.checkouts")
    now = f"max by ({labels}) (resets({checkouts}[{over}]))"
    return f"{now} > (max by ({labels}) (resets({checkouts}[{over}] offset 1m)) or 0 * {now})"


FIRING = Signal(
    "Which alerts fire now?",
    "Its runbook says what it means, whom to look at, and what stops it.",
    _firing,
    (),
)
BEGAN_TO_FIRE = Signal(
    "When did alerts begin to fire?",
    "What was shown before and after says what happened.",
    _began_to_fire,
    ("alertname", "severity", *SERVICE),
)
RESTARTS = Signal(
    "When did processes begin anew?",
    "Figures of before and after are of different processes.",
    _restarts,
    (JOB, INSTANCE),
)
