"""The names that our metrics have in Prometheus: OpenTelemetry's, changed by fixed rules."""

from __future__ import annotations

from pool_observer.metric import POOL_LABEL, Kind, Metric

_UNITS = {"s": "seconds", "1": "ratio"}


def prometheus_label(name: str) -> str:
    """The label that OpenTelemetry's attribute becomes."""
    return name.replace(".", "_")


def unit_of(metric: Metric) -> str:
    """The unit at the end of the metric's name; empty for things that are counted."""
    return _UNITS.get(metric.unit, "")


def family_name(metric: Metric) -> str:
    """The name of the metric's family, which for a counter lacks the `_total`."""
    name, unit = prometheus_label(metric.name), unit_of(metric)
    return name if not unit or name.endswith(f"_{unit}") else f"{name}_{unit}"


def series_name(metric: Metric) -> str:
    """The name that it has in a query; of a histogram, what the names of its parts begin with."""
    return family_name(metric) + ("_total" if metric.kind is Kind.COUNTER else "")


def label_names(metric: Metric) -> tuple[str, ...]:
    """The metric's labels, the pool first."""
    return (prometheus_label(POOL_LABEL), *map(prometheus_label, metric.labels))
