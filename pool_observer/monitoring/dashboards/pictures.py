"""How each kind of panel looks in Grafana: its options, and those of its fields."""

from __future__ import annotations

import math
from typing import Any

from pool_observer.monitoring.dashboards.panel import COLOURS, Panel, Picture
from pool_observer.monitoring.settings import Settings
from pool_observer.monitoring.signal import Signal, Unit

Json = dict[str, Any]

_ANYTHING = 0.001
"""A step that everything above 0 has reached."""

_MILLISECONDS: Json = {"type": "symlog", "log": 10, "linearThreshold": 0.001}
"""A scale on which they can be seen beside minutes, and 0 too."""

_WIDE = 12
"""Columns from which on there is room for a legend beside the lines."""

_LAST: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_TOOLTIP: Json = {"mode": "multi", "sort": "desc"}


def options(panel: Panel) -> Json:
    """What Grafana calls the panel's options."""
    return {
        Picture.STAT: _stat,
        Picture.LINES: _lines,
        Picture.TABLE: _table,
        Picture.HEATMAP: _heatmap,
        Picture.STATES: _states,
        Picture.BARS: _bars,
    }[panel.picture](panel)


def custom(panel: Panel, settings: Settings) -> Json:
    """What it calls custom in the defaults of its fields."""
    if panel.picture is Picture.STATES:
        return {"fillOpacity": 80, "lineWidth": 0}
    if panel.picture is Picture.TABLE:
        return {"align": "auto", "cellOptions": {"type": "auto"}, "minWidth": 80}
    if panel.picture is not Picture.LINES:
        return {}
    return {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "fillOpacity": 35 if panel.stacked else 8,
        "showPoints": "auto",
        "pointSize": 4,
        "spanNulls": False,
        "axisSoftMin": 0,
        **_ceiling(panel, settings),
        **({"scaleDistribution": _MILLISECONDS} if panel.log else {}),
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.limits or panel.first.good else "off"},
    }


def _ceiling(panel: Panel, settings: Settings) -> Json:
    """How high an axis is at least: enough for lines of limits, and for 0 to be at the bottom."""
    limits = [limit.value(settings.thresholds) for limit in panel.limits if limit.field]
    if limits:
        return {"axisSoftMax": min(limits) if panel.unit is Unit.SECONDS else max(limits)}
    return {} if panel.unit is Unit.SECONDS else {"axisSoftMax": 1}


def steps(signal: Signal, settings: Settings) -> list[Json]:
    """The colours of a signal's values, from the lowest on."""
    if signal.good:
        return [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    from_where = {
        limit.severity: limit.value(settings.thresholds) or _ANYTHING for limit in signal.limits
    }
    if from_where.get("warning", 0) >= from_where.get("critical", math.inf):
        del from_where["warning"]  # of which nothing would be seen, and Grafana wants them in order
    return [
        {"color": "green", "value": None},
        *({"color": COLOURS[severity], "value": value} for severity, value in from_where.items()),
    ]


def _stat(_panel: Panel) -> Json:
    return {
        "colorMode": "background",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": _LAST,
        "textMode": "value",
        "wideLayout": True,
    }


def _lines(panel: Panel) -> Json:
    if panel.width < _WIDE:
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    else:
        calculated = ["lastNotNull", "max"]
        legend = {
            "displayMode": "table",
            "placement": "right",
            "showLegend": True,
            "calcs": calculated,
        }
    return {"legend": legend, "tooltip": _TOOLTIP}


def _table(_panel: Panel) -> Json:
    return {"cellHeight": "sm", "showHeader": True}


def _heatmap(_panel: Panel) -> Json:
    return {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "steps": 64,
            "exponent": 0.5,
            "fill": "dark-orange",
            "reverse": False,
        },
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "s"},
    }


def _states(_panel: Panel) -> Json:
    return {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "mergeValues": True,
        "perPage": 20,
        "rowHeight": 0.85,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }


def _bars(_panel: Panel) -> Json:
    return {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": _LAST,
        "showUnfilled": True,
        "valueMode": "color",
        "namePlacement": "auto",
        "sizing": "auto",
        "text": {"titleSize": 14, "valueSize": 18},
        "minVizHeight": 16,
        "minVizWidth": 8,
        "maxVizHeight": 300,
    }
