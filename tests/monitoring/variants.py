"""The settings that dashboards and rules are tried with: the defaults, and others throughout."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pool_observer.monitoring.settings import Settings
from pool_observer.thresholds import Thresholds

# Must be a bound of the histogram, or below 1.
_KEPT = {"queue_wait": 5.0, "slow_wait_quantile": 0.97}


def _other(number: int, value: float) -> float:
    """A value that is nobody else's, near the one it replaces."""
    return round(value * (1 + 0.01 * (number + 1)) + 0.0001, 6)


_CHANGED: dict[str, Any] = {
    field.name: _KEPT.get(field.name, _other(number, getattr(Thresholds(), field.name)))
    for number, field in enumerate(fields(Thresholds))
}
OTHER_THRESHOLDS = Thresholds(**_CHANGED)
OTHER = Settings(
    thresholds=OTHER_THRESHOLDS,
    selector='namespace="shop", env!~"test|dev"',
    job_label="service",
    instance_label="pod",
    keep=("cluster",),
    datasource="mimir",
    grafana_url="https://grafana.example.com/",
    runbook_url="https://example.com/runbooks",
    max_connections=321,
)
VARIANTS = {"default": Settings(), "other": OTHER}
