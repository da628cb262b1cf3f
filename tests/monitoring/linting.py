"""The rules of grafana/dashboard-linter, restated; each finds what is wrong with a dashboard.

Its rules on LogQL have nothing to look at here: `panel-datasource-rule` lets nothing but
Prometheus through. `target-counter-agg-rule` and `target-histogram-rule` are part of
`target-promql-rule`, which follows labels and units as well (`expressions.py`).

Ours are stricter in that they look at all types of panels, at annotations, and at `increase`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import promql_parser as promql

from tests.monitoring.board import INTERVAL, RANGE, RATE_INTERVAL, Asked, Board
from tests.monitoring.grafana import (
    Json,
    annotation_queries,
    panels,
    targets,
    variable_queries,
    variables,
)
from tests.monitoring.interpolation import variables_in
from tests.monitoring.nodes import nodes, selectors
from tests.monitoring.roundtrip import UNITS

Rule = Callable[[Board], Iterator[str]]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DIFFERENCES: Mapping[str, str] = {
    "template-job-rule": "Labelled Service, as in all our texts; All is as of instances.",
    "template-instance-rule": 'All is ".*" and not ".+": it finds what lacks the label as well.',
    "target-rate-interval-rule": "The panels of WINDOWS look as far back as the alerts do.",
    "target-job-rule": "The label is called as the settings say; series of EXEMPT lack it.",
    "target-instance-rule": "The label is called as the settings say; series of EXEMPT lack it.",
}
"""Where we mean to differ from the linter, and why."""
EXEMPT: Mapping[tuple[str, str], str] = {
    ("pg_", "job"): "postgres_exporter is another job",
    ("pg_", "instance"): "postgres_exporter is another job",
    ("pgbouncer_", "job"): "pgbouncer_exporter is another job",
    ("pgbouncer_", "instance"): "pgbouncer_exporter is another job",
    ("ALERTS", "instance"): "alerts on a whole service have no instance, and must not be hidden",
    ("ALERTS", "pool"): "alerts on a whole process have no pool, and must not be hidden",
    ("ALERTS", "holder"): "alerts on a whole pool have no holder, and must not be hidden",
}
"""Which series need not be asked by which variable, by what their names begin with, and why."""
WINDOWS: Mapping[str, tuple[str, str]] = {
    "Pools that have vanished": ("absent_since", "what is gone is seen in what was there before"),
    "Budget": ("absent_since", "a pooler is there, though the server does not answer just now"),
    "Connection budget used, by service": ("absent_since", "the same"),
    "Failures of pool_observer": ("recent", "one is enough, and must be seen for a while"),
    "Events without room, and drift": ("recent", "one is enough, and must be seen for a while"),
    "Lost connections": ("recent", "one is enough, and must be seen for a while"),
    "Nested checkouts": ("recent", "one is enough, and must be seen for a while"),
    "Taken and never given back": ("leak_window", "over less, every hold looks like a leak"),
}
"""Panels that look back over a threshold's span, and why."""


def uneditable_dashboard(board: Board) -> Iterator[str]:
    if board.json.get("editable") is not False:
        yield "what is generated is not to be edited by hand"


def template_datasource(board: Board) -> Iterator[str]:
    found = [each for each in variables(board.json) if each["type"] == "datasource"]
    if [(each["name"], each["query"]) for each in found] != [("datasource", "prometheus")]:
        yield "needs one variable `datasource` for a Prometheus"
    elif variables(board.json)[0] is not found[0]:
        yield "`datasource` must come first: the other variables ask it"
    elif found[0].get("label") != "Data source":
        yield "`datasource` must be labelled 'Data source'"


def template_job(board: Board) -> Iterator[str]:
    yield from _template(board, "job")


def template_instance(board: Board) -> Iterator[str]:
    yield from _template(board, "instance")


def template_ours(board: Board) -> Iterator[str]:
    yield from _template(board, "pool")
    yield from _template(board, "holder")


def _template(board: Board, name: str) -> Iterator[str]:
    found = [each for each in variables(board.json) if each["name"] == name]
    if len(found) != 1:
        yield f"needs one variable `{name}`"
        return
    expected = {
        "type": "query",
        "label": {"job": "Service"}.get(name, name.capitalize()),
        "datasource": DATASOURCE,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
    }
    for key, value in expected.items():
        if found[0].get(key) != value:
            yield f"variable `{name}`: {key} must be {value!r}, not {found[0].get(key)!r}"


def template_label_promql(board: Board) -> Iterator[str]:
    earlier = {"datasource"}
    for query in variable_queries(board.json):
        if query.expression is None:
            yield f"variable `{query.name}` asks for neither label_values nor query_result"
            continue
        for name in sorted(variables_in(query.query) - earlier):
            yield f"variable `{query.name}` depends on `{name}`, which comes later"
        earlier.add(query.name)


def template_on_time_change_reload(board: Board) -> Iterator[str]:
    for variable in variables(board.json):
        if variable["type"] == "query" and variable.get("refresh") != 2:
            yield f"variable `{variable['name']}` is not asked again when the time range changes"


def panel_datasource(board: Board) -> Iterator[str]:
    for panel in panels(board.json):
        for place in (panel, *targets(panel)):
            if place.get("datasource") != DATASOURCE:
                yield f"{panel['title']}: {place.get('refId', 'panel')} asks another data source"
    for annotation in annotation_queries(board.json):
        if annotation.get("datasource") != DATASOURCE:
            yield f"annotation {annotation['name']} asks another data source"


def panel_title_description(board: Board) -> Iterator[str]:
    for panel in panels(board.json):
        for key in ("title", "description"):
            if not panel.get(key, "").strip():
                yield f"panel {panel['id']} has no {key}"


def panel_units(board: Board) -> Iterator[str]:
    for panel in panels(board.json):
        for unit in _units(panel):
            if unit not in UNITS:
                yield f"{panel['title']}: {unit!r} is no unit"


def _units(panel: Json) -> list[Any]:
    config = panel.get("fieldConfig", {})
    overrides = [
        each["value"]
        for override in config.get("overrides", [])
        for each in override["properties"]
        if each["id"] == "unit"
    ]
    if panel["type"] == "heatmap":
        overrides.append(panel.get("options", {}).get("yAxis", {}).get("unit"))
    return [config.get("defaults", {}).get("unit"), *overrides]


def panel_no_targets(board: Board) -> Iterator[str]:
    for panel in panels(board.json):
        if not targets(panel):
            yield f"{panel['title']} asks nothing"


def target_promql(board: Board) -> Iterator[str]:
    for asked in board.questions():
        for complaint in asked.complaints:
            yield f"{asked.where}: {complaint}"


def target_rate_interval(board: Board) -> Iterator[str]:
    """`rate` over `$__rate_interval`, and nothing over a span whatever range is looked at."""
    rate_interval, *others = [timedelta(seconds=each) for each in (RATE_INTERVAL, INTERVAL, RANGE)]
    for asked in board.panel_questions():
        window, _ = WINDOWS.get(asked.panel["title"], ("", ""))
        seconds = getattr(board.settings.thresholds, window) if window else 0
        allowed = timedelta(milliseconds=round(seconds * 1000))
        for function, span in _ranges(asked.expression):
            if span in (rate_interval, allowed):
                continue
            if function in {"rate", "irate"}:
                yield f"{asked.where}: {function} is not over $__rate_interval"
            elif span not in others:
                yield f"{asked.where}: {function} is over {span}, whatever range is looked at"


def _ranges(expression: str) -> Iterator[tuple[str, timedelta]]:
    for call in nodes(expression):
        if isinstance(call, promql.Call):
            for each in call.args:
                if isinstance(each, (promql.MatrixSelector, promql.SubqueryExpr)) and each.range:
                    yield call.func.name, each.range


def target_job(board: Board) -> Iterator[str]:
    yield from _matched(board, board.settings.job_label, "job")


def target_instance(board: Board) -> Iterator[str]:
    yield from _matched(board, board.settings.instance_label, "instance")


def target_ours(board: Board) -> Iterator[str]:
    yield from _matched(board, "db_client_connection_pool_name", "pool")
    yield from _matched(board, "holder", "holder")


def _matched(board: Board, label: str, variable: str) -> Iterator[str]:
    """Series that have the label are asked by the variable, and the label by nothing else."""
    for asked in (*board.panel_questions(), *_annotations(board)):
        for selector in selectors(asked.expression):
            name = selector.name or ""
            has_it = label in (board.known[name].labels if name in board.known else ())
            if not has_it or any(name.startswith(of) for of, free in EXEMPT if free == variable):
                continue
            found = [each for each in selector.matchers.matchers if each.name == label]
            # Alerts on a whole process have no pool, and must not be hidden.
            wanted = f"${variable}|" if (name, variable) == ("ALERTS", "pool") else f"${variable}"
            ours = [each for each in found if each.value == wanted]
            if [each.op for each in ours] != [promql.MatchOp.Re]:
                yield f'{asked.where}: {name} without {label}=~"${variable}"'
            if len(found) > len(ours) and label not in board.settings.selector:
                yield f"{asked.where}: {name} with a {label} that is written by hand"


def _annotations(board: Board) -> Iterator[Asked]:
    return (asked for asked in board.questions() if asked.where.startswith("annotation"))


RULES: Mapping[str, Rule] = {
    "uneditable-dashboard-rule": uneditable_dashboard,
    "template-datasource-rule": template_datasource,
    "template-job-rule": template_job,
    "template-instance-rule": template_instance,
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": target_job,
    "target-instance-rule": target_instance,
}
"""Under the linter's names."""
OWN_RULES: Mapping[str, Rule] = {"template-ours": template_ours, "target-ours": target_ours}
"""The same of the variables that only we have."""
