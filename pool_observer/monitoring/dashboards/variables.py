"""What a reader chooses at the top of a dashboard, and how that selects series."""

from __future__ import annotations

from typing import Any

from pool_observer.monitoring.scope import POOL, Scope
from pool_observer.monitoring.settings import Settings

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
EVERYTHING = ".*"
"""What "All" asks for. It matches a label that is not there, too."""


def choices(settings: Settings) -> dict[str, str]:
    """The variables and the labels they are values of; what is to the left narrows the rest."""
    return {**settings.variables, "pool": Scope(settings).labels((POOL,))}


def title(name: str) -> str:
    """What a variable is called, and a column of its label."""
    return {"job": "Service", "instance": "Instance", "pool": "Pool"}.get(name, name)


def chosen(settings: Settings) -> Scope:
    """The series that the reader has chosen."""
    matchers = tuple(f'{label}=~"${name}"' for name, label in choices(settings).items())
    return Scope(settings, matchers, 'holder=~"$holder"', "$__rate_interval")


def templating(settings: Settings) -> Json:
    """The variables: where to ask, then the labels, then the holder."""
    listed, narrowed = [_datasource(settings)], Scope(settings)
    for name, label in choices(settings).items():
        series = narrowed.series("pool_observer.info")
        listed.append(_query(name, title(name), series, label))
        narrowed = Scope(settings, (*narrowed.matchers, f'{label}=~"${name}"'))
    listed.append(_query("holder", "Holder", narrowed.series("pool_observer.checkouts"), "holder"))
    return {"list": listed}


def _datasource(settings: Settings) -> Json:
    # Where it is empty, Grafana takes the first by name, not its default.
    current = settings.datasource or "default"
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": current, "value": current},
        "regex": "",
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "refresh": 1,
        "skipUrlSync": False,
    }


def _query(name: str, title: str, series: str, label: str) -> Json:
    asked = f"label_values({series}, {label})"
    return {
        "name": name,
        "label": title,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": asked,
        "query": {"query": asked, "refId": f"Variable-{name}"},
        "current": {"text": ["All"], "value": ["$__all"]},
        "multi": True,
        "includeAll": True,
        "allValue": EVERYTHING,
        "refresh": 2,
        "sort": 1,
        "regex": "",
        "hide": 0,
        "skipUrlSync": False,
    }
