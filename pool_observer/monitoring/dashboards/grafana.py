"""Dashboards as the JSON that Grafana imports and provisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Picture, Row, Shown
from pool_observer.monitoring.dashboards.pictures import custom, options, steps
from pool_observer.monitoring.dashboards.tables import overrides, ref, transformations
from pool_observer.monitoring.dashboards.times import BEGAN_TO_FIRE, RESTARTS
from pool_observer.monitoring.dashboards.variables import (
    DATASOURCE,
    choices,
    chosen,
    templating,
)
from pool_observer.monitoring.scope import Scope, duration
from pool_observer.monitoring.settings import Settings

Json = dict[str, Any]

COLUMNS = 24
_SCHEMA = 42
_FORMATS = {Picture.TABLE: "table", Picture.HEATMAP: "heatmap"}
_AT_ONCE = {Picture.TABLE, Picture.BARS}
"""Pictures of one instant, not of a span of time."""


def dashboard_json(dashboard: Dashboard, settings: Settings) -> Json:
    """All of a dashboard."""
    return {
        "uid": f"pool-observer-{dashboard.key}",
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["pool-observer"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": _annotations(settings)},
        "links": [_link()],
        "templating": templating(settings),
        "panels": list(_panels(dashboard, settings)),
    }


def _panels(dashboard: Dashboard, settings: Settings) -> Iterator[Json]:
    """Rows and panels, from the top left on."""
    numbers, y = count(1), 0
    for row in dashboard.rows:
        heading = _heading(row, next(numbers), y)
        placed = [
            _panel(panel, next(numbers), place, settings) for panel, place in _placed(row, y + 1)
        ]
        if row.collapsed:
            yield {**heading, "panels": placed}
            y += 1
        else:
            yield heading
            yield from placed
            y = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in placed)


def _placed(row: Row, y: int) -> Iterator[tuple[Panel, Json]]:
    """Each panel beside the one before, and below where there is no room."""
    x = height = 0
    for panel in row.panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        yield panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}
        x, height = x + panel.width, max(height, panel.height)


def _heading(row: Row, number: int, y: int) -> Json:
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": row.collapsed,
        "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
        "panels": [],
    }


def _panel(panel: Panel, number: int, place: Json, settings: Settings) -> Json:
    table = panel.picture is Picture.TABLE
    return {
        "id": number,
        "type": panel.picture.value,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": place,
        "targets": [
            _target(shown, at, panel.picture, settings) for at, shown in enumerate(panel.shown)
        ],
        "options": options(panel),
        "fieldConfig": {
            "defaults": _fields(panel, settings),
            "overrides": overrides(panel, settings) if table else [],
        },
        **({"transformations": transformations(panel, settings)} if table else {}),
    }


def _fields(panel: Panel, settings: Settings) -> Json:
    by_threshold = panel.picture is not Picture.LINES
    return {
        "unit": panel.unit.value,
        "color": {"mode": "thresholds" if by_threshold else "palette-classic"},
        "custom": custom(panel, settings),
        "thresholds": {"mode": "absolute", "steps": steps(panel.first, settings)},
        **({"noValue": panel.nothing} if panel.nothing else {}),
        **_bounds(panel),
    }


def _bounds(panel: Panel) -> Json:
    """Bars are as long as their share of something."""
    if panel.picture not in (Picture.BARS, Picture.STATES):
        return {}
    return {"min": 0, **({"max": 1} if panel.unit.value == "percentunit" else {})}


def _target(shown: Shown, at: int, picture: Picture, settings: Settings) -> Json:
    instant = picture in _AT_ONCE
    return {
        "refId": ref(at),
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": shown.expression(_scope(shown, settings)),
        "legendFormat": "" if picture is Picture.TABLE else _legend(shown.legend, settings),
        "format": _FORMATS.get(picture, "time_series"),
        "instant": instant,
        "range": not instant,
        **({"exemplar": True} if shown.exemplars else {}),
    }


def _scope(shown: Shown, settings: Settings) -> Scope:
    scope = chosen(settings)
    if not shown.window:
        return scope
    if shown.window.startswith("$"):
        return scope.over(shown.window)
    return scope.over(duration(getattr(settings.thresholds, shown.window)))


def _legend(text: str, settings: Settings) -> str:
    """Grafana's form of the names in angle brackets; what has none is called what it shows."""
    labels = choices(settings)
    text = text.replace("<job>", " ".join((*(f"<{each}>" for each in settings.keep), "<job>")))
    return re.sub(r"<(\w+)>", lambda found: f"{{{{{labels.get(found[1], found[1])}}}}}", text)


def _link() -> Json:
    return {
        "type": "dashboards",
        "title": "Pools",
        "tags": ["pool-observer"],
        "asDropdown": False,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "",
        "url": "",
    }


def _annotations(settings: Settings) -> list[Json]:
    scope = chosen(settings)
    names = choices(settings)
    return [
        _annotation(
            "Alerts",
            "red",
            BEGAN_TO_FIRE.expression(scope),
            "{{alertname}}",
            f"{{{{{names['job']}}}}} {{{{{names['pool']}}}}}",
            "severity",
        ),
        _annotation(
            "Restarts",
            "blue",
            RESTARTS.expression(scope),
            f"{{{{{names['job']}}}}} began anew",
            f"{{{{{names['instance']}}}}}",
            names["job"],
        ),
    ]


def _annotation(name: str, colour: str, expression: str, title: str, text: str, tag: str) -> Json:
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expression,
        "target": {"refId": "Anno", "expr": expression, "interval": "30s"},  # newer Grafanas
        "step": "30s",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": tag,
    }
