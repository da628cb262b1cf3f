"""Whether a dashboard can be imported, provisioned, linked to, and read: all but its queries."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tests.monitoring.grafana import Json, panels, rows, targets, variables
from tests.monitoring.interpolation import formats_in, variables_in
from tests.monitoring.roundtrip import SCHEMA_VERSION

COLUMNS = 24
_UID = re.compile(r"[a-zA-Z0-9_-]{1,40}\Z")
_TO_DASHBOARD = re.compile(r"^/?d/([^/?]+)")
_PARAMETER = re.compile(r"[?&]var-(\w+)=([^&]*)")


def head(dashboard: Json) -> Iterator[str]:
    """What is imported: by whom it was made, and on which Grafana, must not matter."""
    if not _UID.match(dashboard.get("uid") or ""):
        yield f"{dashboard.get('uid')!r} is no uid"
    if dashboard.get("id") is not None:
        yield "an id belongs to one Grafana: it must be null"
    if dashboard.get("schemaVersion") != SCHEMA_VERSION:
        yield f"schemaVersion must be {SCHEMA_VERSION}"
    for key in ("title", "tags", "refresh", "time"):
        if not dashboard.get(key):
            yield f"needs {key}"
    if "__inputs" in dashboard or "${DS_" in json.dumps(dashboard):
        yield "inputs are asked for by hand only: nothing fills them where it is provisioned"


def numbers(dashboard: Json) -> Iterator[str]:
    """Panels have numbers of their own, and queries names."""
    ids = [panel.get("id") for panel in (*rows(dashboard), *panels(dashboard))]
    for number, times in Counter(ids).items():
        if times > 1 or not isinstance(number, int) or number < 1:
            yield f"id {number!r} of {times} panels"
    for panel in panels(dashboard):
        names = [target.get("refId") for target in targets(panel)]
        if not all(names) or len(set(names)) < len(names):
            yield f"{panel['title']}: queries {names}"


def places(dashboard: Json) -> Iterator[str]:
    """Nothing is outside, nothing overlaps, and what is in a row is below it."""
    top = dashboard.get("panels", [])
    for panel in (*top, *panels(dashboard)):
        place = panel["gridPos"]
        if place["x"] < 0 or place["y"] < 0 or place["x"] + place["w"] > COLUMNS:
            yield f"{panel['title']} is outside"
        if place["w"] < 1 or place["h"] < 1:
            yield f"{panel['title']} has no size"
    yield from _overlaps(top)
    for row in rows(dashboard):
        if (row["gridPos"]["x"], row["gridPos"]["w"], row["gridPos"]["h"]) != (0, COLUMNS, 1):
            yield f"row {row['title']} is not as wide as the dashboard, or not one high"
        if bool(row.get("panels")) != row.get("collapsed", False):
            yield f"row {row['title']}: a collapsed row has its panels in it, an open one has not"
        yield from _overlaps(row.get("panels", []))
        for panel in row.get("panels", []):
            if panel["gridPos"]["y"] <= row["gridPos"]["y"]:
                yield f"{panel['title']} is not below its row"
    in_order = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in top]
    if in_order != sorted(in_order):
        yield "panels are not listed from top to bottom, as rows claim what follows them"


def _overlaps(listed: Sequence[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for panel in listed:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        for other in sorted({taken[cell] for cell in cells & taken.keys()}):
            yield f"{panel['title']} overlaps {other}"
        taken.update((cell, panel["title"]) for cell in cells)


def links(dashboard: Json, uids: Iterable[str]) -> Iterator[str]:
    """Whoever follows a link finds the same services, pools and hours there."""
    names = [variable["name"] for variable in variables(dashboard)]
    for link in dashboard.get("links", []):
        if not (link.get("includeVars") and link.get("keepTime")):
            yield f"link {link['title']} loses variables or time"
    for link in _links_of_panels(dashboard):
        found = _TO_DASHBOARD.match(link["url"])
        if found is None:
            if not link["url"].startswith("https://"):
                yield f"link {link['title']} leads nowhere"
            continue
        if found[1] not in uids:
            yield f"link {link['title']} leads to {found[1]}, which is not ours"
        yield from _carried(link, names)


def _links_of_panels(dashboard: Json) -> Iterator[Json]:
    for panel in panels(dashboard):
        config = panel.get("fieldConfig", {})
        yield from panel.get("links", [])
        yield from config.get("defaults", {}).get("links", [])
        for override in config.get("overrides", []):
            for each in override["properties"]:
                if each["id"] == "links":
                    yield from each["value"]


def _carried(link: Json, names: Sequence[str]) -> Iterator[str]:
    url = link["url"]
    asked, formats = variables_in(url), formats_in(url)
    given = dict(_PARAMETER.findall(url))
    for name in names:
        ways = [name in given, formats.get(name) == "queryparam", "__all_variables" in asked]
        if sum(ways) != 1:
            yield f"link {link['title']} carries {name} {sum(ways)} times"
    for name, value in given.items():
        for inside in sorted(variables_in(value)):
            if inside in names and inside != "datasource":
                yield f"link {link['title']}: {name} of several values, which takes queryparam"
            elif inside not in names and formats_in(value).get(inside) != "percentencode":
                yield f"link {link['title']}: {name} is not encoded for an address"
    if not {"__url_time_range"} <= asked and not {"__from", "__to"} <= asked:
        yield f"link {link['title']} loses the time"
