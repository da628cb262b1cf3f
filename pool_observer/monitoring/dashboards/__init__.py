"""Grafana dashboards, written from the signals."""

from __future__ import annotations

from typing import Any

from pool_observer.monitoring.dashboards.database import DATABASE
from pool_observer.monitoring.dashboards.fleet import FLEET
from pool_observer.monitoring.dashboards.grafana import dashboard_json
from pool_observer.monitoring.dashboards.holders import HOLDERS
from pool_observer.monitoring.dashboards.pool import POOLS
from pool_observer.monitoring.settings import Settings

DASHBOARDS = (FLEET, POOLS, HOLDERS, DATABASE)


def dashboards(settings: Settings) -> dict[str, dict[str, Any]]:
    """What Grafana imports, by the names of the files."""
    return {f"{each.key}.json": dashboard_json(each, settings) for each in DASHBOARDS}
