"""A small dashboard that is as it should be, for tests to break in one place at a time."""

from __future__ import annotations

from typing import Any

from tests.monitoring.grafana import Json

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
OWN = 'job=~"$job", instance=~"$instance", db_client_connection_pool_name=~"$pool"'
TO_POOL = (
    "/d/pool-observer-pool?${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
    "&${holder:queryparam}&var-pool=${__data.fields.Pool:percentencode}&${__url_time_range}"
)
DESCRIPTION = "How full is the pool? If it is red: look who holds."


def good() -> Json:
    """Two panels, an open row, and a collapsed one with a panel on another exporter."""
    return {
        "id": None,
        "uid": "pool-observer-pool",
        "title": "Pool",
        "tags": ["pool-observer"],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 42,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "annotations": {"list": [_alerts()]},
        "links": [_link()],
        "templating": {"list": _variables()},
        "panels": [_utilization(), _row(2, 8), _pools(), _collapsed()],
    }


def _variables() -> list[Json]:
    name = {"job": "job", "instance": "instance", "holder": "holder"}
    labels = {**name, "pool": "db_client_connection_pool_name"}
    before = {"job": "", "instance": '{job=~"$job"}', "pool": '{job=~"$job"}', "holder": ""}
    metrics = {"holder": "pool_observer_checkouts_total"}
    datasource = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }
    return [
        datasource,
        *(
            {
                "name": variable,
                "label": {"job": "Service"}.get(variable, variable.capitalize()),
                "type": "query",
                "datasource": dict(DATASOURCE),
                "query": {
                    "query": f"label_values({metrics.get(variable, 'pool_observer_info')}"
                    f"{before[variable]}, {labels[variable]})",
                    "refId": "variable",
                },
                "refresh": 2,
                "sort": 1,
                "multi": True,
                "includeAll": True,
                "allValue": ".*",
                "current": {"text": "All", "value": "$__all"},
            }
            for variable in ("job", "instance", "pool", "holder")
        ),
    ]


def _alerts() -> Json:
    return {
        "name": "Alerts",
        "enable": True,
        "iconColor": "red",
        "datasource": dict(DATASOURCE),
        "expr": 'ALERTS{alertstate="firing", job=~"$job", instance=~"$instance", '
        'db_client_connection_pool_name=~"$pool"}',
        "titleFormat": "{{alertname}}",
    }


def _link() -> Json:
    return {
        "title": "Other dashboards",
        "type": "dashboards",
        "tags": ["pool-observer"],
        "includeVars": True,
        "keepTime": True,
        "asDropdown": True,
        "targetBlank": False,
        "icon": "dashboard",
        "tooltip": "",
    }


def _utilization() -> Json:
    return {
        "id": 1,
        "type": "timeseries",
        "title": "Utilization",
        "description": DESCRIPTION,
        "datasource": dict(DATASOURCE),
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "targets": [
            {
                "refId": "A",
                "datasource": dict(DATASOURCE),
                "expr": "max by (job, db_client_connection_pool_name) "
                f"(pool_observer_utilization_ratio{{{OWN}}})",
                "legendFormat": "{{db_client_connection_pool_name}}",
                "range": True,
            }
        ],
        "fieldConfig": {
            "defaults": {
                "unit": "percentunit",
                "thresholds": _thresholds(0.8, 1),
                "custom": {"lineWidth": 2, "thresholdsStyle": {"mode": "line"}},
            },
            "overrides": [
                {
                    "matcher": {"id": "byFrameRefID", "options": "A"},
                    "properties": [{"id": "custom.lineStyle", "value": {"fill": "solid"}}],
                }
            ],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}},
    }


def _thresholds(*limits: float) -> Json:
    colors = ("yellow", "red")[-len(limits) :]
    steps: list[Json] = [{"color": "green", "value": None}]
    for color, limit in zip(colors, limits, strict=True):
        steps.append({"color": color, "value": limit})
    return {"mode": "absolute", "steps": steps}


def _pools() -> Json:
    return {
        "id": 3,
        "type": "table",
        "title": "Pools",
        "description": "Which pools are there? If one is red: open it.",
        "datasource": dict(DATASOURCE),
        "gridPos": {"x": 0, "y": 9, "w": 24, "h": 6},
        "targets": [
            {
                "refId": "A",
                "datasource": dict(DATASOURCE),
                "expr": "sum by (db_client_connection_pool_name) "
                "(rate(db_client_connection_timeouts_total"
                f'{{{OWN}, holder=~"$holder"}}[$__rate_interval]))',
                "format": "table",
                "instant": True,
            }
        ],
        "transformations": [
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "renameByName": {
                        "db_client_connection_pool_name": "Pool",
                        "Value": "Time-outs",
                    },
                },
            }
        ],
        "fieldConfig": {
            "defaults": {"unit": "ops", "custom": {"filterable": True}},
            "overrides": [
                {
                    "matcher": {"id": "byName", "options": "Pool"},
                    "properties": [
                        {"id": "links", "value": [{"title": "Open", "url": TO_POOL}]},
                        {"id": "unit", "value": "string"},
                    ],
                }
            ],
        },
        "options": {"showHeader": True},
    }


def _row(number: int, y: int, **more: Any) -> Json:
    place = {"x": 0, "y": y, "w": 24, "h": 1}
    row = {"id": number, "type": "row", "title": "Pools", "gridPos": place}
    return {**row, "collapsed": False, "panels": [], **more}


def _collapsed() -> Json:
    inner = {
        "id": 5,
        "type": "stat",
        "title": "Sessions of the server",
        "description": "How many sessions are there? If it is red: look for who has them.",
        "datasource": dict(DATASOURCE),
        "gridPos": {"x": 0, "y": 16, "w": 6, "h": 4},
        "targets": [
            {
                "refId": "A",
                "datasource": dict(DATASOURCE),
                "expr": 'sum by (datname) (pg_stat_activity_count{state!="disabled"})',
                "legendFormat": "{{datname}}",
                "range": True,
            }
        ],
        "fieldConfig": {"defaults": {"unit": "short"}, "overrides": []},
        "options": {"colorMode": "value", "reduceOptions": {"calcs": ["lastNotNull"]}},
    }
    return _row(4, 15, title="postgres_exporter", collapsed=True, panels=[inner])
