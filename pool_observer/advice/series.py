"""The names that our metrics have in a Prometheus, by their names in the contract."""

from __future__ import annotations

from pool_observer.contract import CONTRACT
from pool_observer.metric import POOL_LABEL
from pool_observer.prometheus_names import prometheus_label, series_name

_METRICS = {metric.name: metric for metric in CONTRACT}

POOL = prometheus_label(POOL_LABEL)


def series(name: str) -> str:
    """The series of this metric; of a histogram, what its parts begin with."""
    return series_name(_METRICS[name])


def labels(name: str) -> frozenset[str]:
    """The labels that tell this metric's series of one pool apart."""
    return frozenset(map(prometheus_label, _METRICS[name].labels))
