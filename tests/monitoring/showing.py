"""What a dashboard shows of the answers: labels in legends, columns of tables, units, limits."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from tests.monitoring.board import Asked, Board
from tests.monitoring.grafana import Json, legend_labels, panels, targets
from tests.monitoring.nodes import is_selector
from tests.monitoring.units import EITHER, QUOTIENT, SHARE

_SECONDS = {"s": 1, "dtdurations": 1, "ops": -1, "reqps": -1, "cps": -1, "rps": -1}
"""The units that are a power of seconds; in all others things are counted."""
_FIELD = re.compile(r"\$\{__data\.fields(?:\.([\w-]+)|\[\"([^\"]+)\"\])")
_LABEL_OF_FIELD = re.compile(r"\$\{__field\.labels(?:\.(\w+)|\[\"([^\"]+)\"\])")
_BY_NAME = ("excludeByName", "includeByName", "indexByName", "renameByName")
_TRANSFORMATIONS = {
    "merge": set[str](),
    "organize": {*_BY_NAME, "orderByMode", "orderBy"},
    "joinByField": {"byField", "mode"},
}
"""Those that we know, and their options: no schema describes them."""


def legends(board: Board) -> Iterator[str]:
    """Every label of a legend is in the answer, which without one has no name at all."""
    for asked in board.questions():
        for label in legend_labels(asked.target):
            if label not in asked.result.labels:
                yield f"{asked.where}: the legend has {label}, the answer has not"
    for asked in board.panel_questions():
        legend = asked.target.get("legendFormat", "")
        of_series = asked.target.get("format", "time_series") == "time_series"
        if not legend and of_series and asked.result.labels:
            yield f"{asked.where} has no legend, and several series"


def columns(board: Board) -> Iterator[str]:
    """Whatever is called by its name in a panel is called so."""
    questions = list(board.panel_questions())
    for panel in panels(board.json):
        asked = [each for each in questions if each.panel is panel]
        names = _names(panel, asked)
        if len({each.result.labels for each in asked}) > 1 and _merges(panel):
            yield f"{panel['title']}: merges answers of different labels, which stay apart"
        for transformation in panel.get("transformations", []):
            names = yield from _transformed(panel, transformation, names)
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            yield from _matched(panel, override["matcher"], names)
        for name in _called(panel, _FIELD):
            if name not in names:
                yield f"{panel['title']}: a link takes {name!r}, which is no column"
        labels = {label for each in asked for label in each.result.labels}
        for name in _called(panel, _LABEL_OF_FIELD):
            if name not in labels:
                yield f"{panel['title']}: a link takes the label {name!r}, which is not there"


def _names(panel: Json, asked: list[Asked]) -> set[str]:
    """What Grafana calls the fields."""
    if not any(target.get("format") == "table" for target in targets(panel)):
        return {each.target.get("legendFormat", "") for each in asked}
    labels = {label for each in asked for label in each.result.labels}
    if any(is_selector(each.expression) for each in asked):
        labels.add("__name__")
    if len(asked) == 1:
        return {"Time", "Value", *labels}
    return {"Time", *labels, *(f"Value #{each.target['refId']}" for each in asked)}


def _merges(panel: Json) -> bool:
    return any(each["id"] == "merge" for each in panel.get("transformations", []))


def _transformed(panel: Json, how: Json, names: set[str]) -> Generator[str, None, set[str]]:
    """The names afterwards; complains of those that are not there before."""
    options = how.get("options", {})
    if not options.keys() <= _TRANSFORMATIONS.get(how["id"], set()):
        yield f"{panel['title']}: {how['id']} does not take {', '.join(options)}"
    for key in _BY_NAME:
        for name in options.get(key, {}):
            if name not in names:
                yield f"{panel['title']}: {how['id']} {key} {name!r}, which is no column"
    field = options.get("byField")
    if field is not None and field not in names:
        yield f"{panel['title']}: {how['id']} by {field!r}, which is no column"
    dropped = {name for name, away in options.get("excludeByName", {}).items() if away}
    renamed = options.get("renameByName", {})
    return {renamed.get(name) or name for name in names - dropped}


def _matched(panel: Json, matcher: Json, names: set[str]) -> Iterator[str]:
    option = matcher.get("options")
    if matcher["id"] == "byName" and option not in names:
        yield f"{panel['title']}: an override of {option!r}, which is no column"
    if matcher["id"] == "byFrameRefID" and option not in [t["refId"] for t in targets(panel)]:
        yield f"{panel['title']}: an override of query {option!r}, which is not there"


def _called(panel: Json, pattern: re.Pattern[str]) -> set[str]:
    return {first or second for first, second in pattern.findall(str(panel).replace('\\"', '"'))}


def units(board: Board) -> Iterator[str]:
    """Seconds are shown as seconds, rates as rates, ratios as ratios."""
    for asked in board.panel_questions():
        result, unit = asked.result, unit_of(asked)
        if result.buckets is not None:
            if result.buckets != _SECONDS.get(unit, 0):
                yield f"{asked.where}: buckets are not in {unit!r}"
            continue
        if result.seconds is not None and result.seconds != _SECONDS.get(unit, 0):
            yield f"{asked.where}: seconds to the power of {result.seconds}, shown as {unit!r}"
        if result.is_share and unit != "percentunit":
            yield f"{asked.where}: a ratio between 0 and 1, shown as {unit!r}"
        if unit == "percentunit" and result.scale not in {SHARE, QUOTIENT, EITHER}:
            yield f"{asked.where}: shown as a ratio, which it is not"
        if result.is_percent != (unit == "percent"):
            yield f"{asked.where}: times 100 goes with the unit 'percent', and only with it"


def unit_of(asked: Asked) -> str:
    """The unit that the answer is shown in."""
    panel, target = asked.panel, asked.target
    if panel["type"] == "heatmap":
        unit: str = panel.get("options", {}).get("yAxis", {}).get("unit", "")
        return unit
    value = "Value" if len(targets(panel)) == 1 else f"Value #{target['refId']}"
    for transformation in panel.get("transformations", []):
        value = transformation.get("options", {}).get("renameByName", {}).get(value) or value
    called = {
        ("byFrameRefID", target["refId"]),
        ("byName", target.get("legendFormat")),
        ("byName", value),
    }
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "")
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        if (override["matcher"]["id"], override["matcher"].get("options")) in called:
            for each in override["properties"]:
                unit = each["value"] if each["id"] == "unit" else unit
    return unit


def limits(board: Board) -> Iterator[str]:
    """Limits begin with the base, rise, fit the unit, and are seen where there is a graph."""
    for panel in panels(board.json):
        config = panel.get("fieldConfig", {})
        for unit, thresholds in _thresholds(config):
            values = [step.get("value") for step in thresholds["steps"]]
            if values[0] is not None:
                yield f"{panel['title']}: the first threshold must be without a value"
            rest = [value for value in values[1:] if value is not None]
            if len(rest) != len(values) - 1 or rest != sorted(set(rest)):
                yield f"{panel['title']}: thresholds must rise"
            if unit == "percentunit" and any(value > 2 for value in rest):
                yield f"{panel['title']}: a threshold in percent, of a ratio"
            if unit == "percent" and any(0 < value <= 1 for value in rest):
                yield f"{panel['title']}: a threshold as a ratio, of percent"
        defaults = config.get("defaults", {})
        style = defaults.get("custom", {}).get("thresholdsStyle", {}).get("mode", "off")
        has_limits = len(defaults.get("thresholds", {}).get("steps", ())) > 1
        if panel["type"] == "timeseries" and has_limits != (style != "off"):
            yield f"{panel['title']}: limits that no line shows, or lines without limits"


def _thresholds(config: Json) -> Iterator[tuple[str, Json]]:
    defaults = config.get("defaults", {})
    unit = defaults.get("unit", "")
    if "thresholds" in defaults:
        yield unit, defaults["thresholds"]
    for override in config.get("overrides", []):
        own = {each["id"]: each.get("value") for each in override["properties"]}
        if "thresholds" in own:
            yield own.get("unit", unit), own["thresholds"]
