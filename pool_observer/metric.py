"""What one of our metrics is, whoever exports it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from pool_observer.buckets import Bounds
from pool_observer.state import Distribution, PoolState

POOL_LABEL = "db.client.connection.pool.name"
"""The attribute that every metric has; its value is the pool's name."""

Reading = tuple[tuple[str, ...], float | Distribution]
"""The values of a series' labels, besides the pool, and what it is at."""


class Kind(StrEnum):
    """What a metric's figures are: totals that only grow, a state, or a distribution."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Across(StrEnum):
    """What several workers' gauges come to, together."""

    SUM = "sum"
    WORST = "max"
    """One worker in trouble must not be hidden by three that are well."""
    LEAST = "min"
    """The same, of what is good."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: how it is called, what it means, and where its figures are read."""

    name: str
    """As OpenTelemetry writes it."""
    kind: Kind
    unit: str
    """As UCUM writes it: seconds are `s`, a ratio is `1`, things counted are in braces."""
    labels: tuple[str, ...]
    """Besides the pool."""
    help: str
    read: Callable[[PoolState], Iterable[Reading]]
    across: Across = Across.SUM
    """For gauges; what only grows is always added up."""
    bounds: Bounds = ()
    """For histograms: the upper bounds of their buckets."""
