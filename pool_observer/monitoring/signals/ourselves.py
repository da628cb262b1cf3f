"""Whether the figures can be trusted: pool_observer's own state."""

from __future__ import annotations

from pool_observer.monitoring.scope import PROCESS, SERVICE, By, Scope, duration
from pool_observer.monitoring.signal import NEVER, Signal


def _gone(scope: Scope, by: By) -> str:
    """Pools that had metrics a while ago, and have none now, from any process."""
    info, labels = scope.series("pool_observer.info"), scope.labels(by)
    since = duration(scope.settings.thresholds.absent_since)
    return (
        f"group by ({labels}) (present_over_time({info}[{since}]))\n"
        f"unless\ngroup by ({labels}) ({info})"
    )


def _never(scope: Scope, _by: By) -> str:
    """When there has been none at all: nothing that could be grouped."""
    since = duration(scope.settings.thresholds.absent_since)
    return f"absent_over_time({scope.series('pool_observer.info')}[{since}])"


OURSELVES = {
    "absent": Signal(
        "Which pools had metrics within the last while, and have none now?",
        "The service is down, is no longer scraped, or no longer calls observe().",
        _gone,
        SERVICE,
        born=_never,
        limits=NEVER,
    ),
    "internal_errors": Signal(
        "How often has pool_observer failed? No failure reached the application.",
        "The first at each place is in the service's log, with a traceback: please report it.",
        lambda scope, by: f"round({scope.increase(by, 'pool_observer.internal_errors')})",
        PROCESS,
        # Those of observe() come before the first scrape.
        born=lambda scope, by: scope.born(by, "pool_observer.internal_errors"),
        limits=NEVER,
    ),
    "dropped": Signal(
        "How many waits and holds did pool_observer have no room for? They are missing from the "
        "figures.",
        "A listener that does not keep up is named in the log; else the ledger had no room.",
        lambda scope, by: f"round({scope.increase(by, 'pool_observer.dropped_events')})",
        PROCESS,
        limits=NEVER,
    ),
    "drift": Signal(
        "By how much does our count differ from the pool's own?",
        "For more than an instant: a bug of ours, please report it.",
        lambda scope, by: scope.sum(by, "pool_observer.ledger_drift"),
        PROCESS,
        limits=NEVER,
    ),
}
