"""Tables: a line for each pool or alert, a column for each signal, and where a line leads."""

from __future__ import annotations

from typing import Any

from pool_observer.monitoring.dashboards.panel import Panel
from pool_observer.monitoring.dashboards.pictures import steps
from pool_observer.monitoring.dashboards.times import FIRING
from pool_observer.monitoring.dashboards.variables import choices, title
from pool_observer.monitoring.settings import Settings

Json = dict[str, Any]


def transformations(panel: Panel, settings: Settings) -> list[Json]:
    """One table of all answers, with the columns' names and without what nobody reads."""
    named, hidden = _named(panel, settings)
    return [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": dict.fromkeys(hidden, True),
                "indexByName": {name: at for at, name in enumerate(named)},
                "renameByName": named,
            },
        },
    ]


def _named(panel: Panel, settings: Settings) -> tuple[dict[str, str], tuple[str, ...]]:
    """What columns are called, from left to right, and which are not shown."""
    labels = columns(settings)
    if panel.first is FIRING:
        named = {"alertname": "Alert", "severity": "Severity", **labels, **_OF_ALERTS}
        return named, ("Time", "Value", "__name__", "alertstate")
    figures = {f"Value #{ref(at)}": shown.legend for at, shown in enumerate(panel.shown)}
    instance = choices(settings)["instance"]
    return {**{each: labels[each] for each in labels if each != instance}, **figures}, ("Time",)


def overrides(panel: Panel, settings: Settings) -> list[Json]:
    """The columns' units and colours, and the links of the pools."""
    pool = _column("Pool", [("links", [_link(settings)])])
    if panel.first is FIRING:
        return [
            {"matcher": {"id": "byRegexp", "options": ".*"}, "properties": [_EMPTY]},
            pool,
            _column("Alert", [("custom.width", 300)]),
            _column("Severity", [("mappings", [_SEVERITIES]), _COLOURED]),
        ]
    return [
        pool,
        *(
            _column(
                shown.legend,
                [
                    ("unit", shown.asks.unit.value),
                    ("thresholds", {"mode": "absolute", "steps": steps(shown.asks, settings)}),
                    *([_COLOURED] if shown.asks.limits else []),
                ],
            )
            for shown in panel.shown
        ),
    ]


def columns(settings: Settings) -> dict[str, str]:
    """What the labels' columns are called."""
    return {label: title(name) for name, label in choices(settings).items()}


def ref(place: int) -> str:
    """The name of a panel's query: A, B, C."""
    return chr(ord("A") + place)


_OF_ALERTS = {"holder": "Holder", "window": "Window"}
_EMPTY: Json = {"id": "noValue", "value": ""}
"""What an alert without that label shows; what the panel has to say is for no alert at all."""
_COLOURED = ("custom.cellOptions", {"type": "color-background", "mode": "basic"})
_SEVERITIES: Json = {
    "type": "value",
    "options": {
        "critical": {"color": "red", "index": 0, "text": "critical"},
        "warning": {"color": "orange", "index": 1, "text": "warning"},
        "info": {"color": "blue", "index": 2, "text": "info"},
    },
}


def _column(name: str, properties: list[tuple[str, Any]]) -> Json:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties],
    }


def _link(settings: Settings) -> Json:
    """The pool's own dashboard, for the service and pool of the line, and else what was chosen."""
    names = columns(settings)
    line = [
        f'var-{name}=${{__data.fields["{names[label]}"]:percentencode}}'
        for name, label in choices(settings).items()
        if name != "instance"
    ]
    kept = [f"${{{name}:queryparam}}" for name in ("datasource", "instance", "holder")]
    return {
        "title": "This pool",
        "url": f"/d/pool-observer-pool?{'&'.join((*kept, *line, '${__url_time_range}'))}",
        "targetBlank": False,
    }
