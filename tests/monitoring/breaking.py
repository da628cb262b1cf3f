"""Breaks the small dashboard in one place, so that a check is seen to find it."""

from __future__ import annotations

import copy
from typing import Any, Final

from tests.monitoring.grafana import Json
from tests.monitoring.handmade import good

GONE: Final = object()
"""In place of a value: the field is taken away."""

# Where things are in the small dashboard.
UTILIZATION = "panels.0"
POOLS = "panels.2"
COLLAPSED = "panels.3"
SESSIONS = "panels.3.panels.0"
EXPR = f"{UTILIZATION}.targets.0.expr"
LINK = f"{POOLS}.fieldConfig.overrides.0.properties.0.value.0.url"
JOB, INSTANCE, POOL, HOLDER = (f"templating.list.{place}" for place in range(1, 5))


def broken(path: str, value: Any) -> Json:
    """The dashboard with another value at the path; with a pair of texts, one in place of another.

    What is not there is added, and `+` adds to a list.
    """
    dashboard = good()
    *way, last = path.split(".")
    place: Any = dashboard
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place[name]
    if last == "+":
        place.append(copy.deepcopy(value))
        return dashboard
    key: Any = int(last) if isinstance(place, list) else last
    if isinstance(value, tuple):
        old, new = value
        assert old in place[key]
        place[key] = place[key].replace(old, new)
    elif value is GONE:
        del place[key]
    else:
        place[key] = value
    assert dashboard != good()
    return dashboard
