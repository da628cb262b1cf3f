"""Who holds connections of the pool meanwhile, which is told of some alerts."""

from __future__ import annotations

from tests.monitoring.promtool.series import Labels, Series, counter


def activity(holder: str, kind: str, **phases: float) -> Series:
    """Seconds held, of each minute."""
    labels = {"holder": holder, "activity": kind}
    return counter("pool_observer_activity_seconds_total", labels=labels, **phases)


def taken(holder: Labels, **phases: float) -> Series:
    return counter("pool_observer_checkouts_total", labels=holder, **phases)


def returned(how: str, holder: Labels, *, born: float = 0, **phases: float) -> Series:
    labels = {**holder, "how": how}
    return counter("pool_observer_returns_total", born=born, labels=labels, **phases)


HELD = (
    activity("POST /chat/{id}", "idle", good=720),
    activity("GET /orders", "executing", good=120),
    activity("GET /orders", "in_transaction", good=60),
    activity("GET /health", "executing", good=0),
)
"""On average, twelve connections of one route and three of another."""
CULPRITS = " Held, on average: 12.0 x POST /chat/{id}, 3.0 x GET /orders."
