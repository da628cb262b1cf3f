"""The rules of Grafana's linter and ours, on dashboards that break them and on those we ship."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.monitoring.dashboards import dashboards
from pool_observer.monitoring.settings import Settings
from tests.monitoring.board import Board
from tests.monitoring.breaking import (
    EXPR,
    GONE,
    HOLDER,
    INSTANCE,
    JOB,
    LINK,
    POOL,
    POOLS,
    SESSIONS,
    UTILIZATION,
    broken,
)
from tests.monitoring.grafana import panels
from tests.monitoring.handmade import OWN, good
from tests.monitoring.linting import DIFFERENCES, EXEMPT, OWN_RULES, RULES, WINDOWS, Rule
from tests.monitoring.nodes import selectors
from tests.monitoring.showing import columns, legends, limits, units
from tests.monitoring.variants import VARIANTS

CHECKS: dict[str, Rule] = {
    **RULES,
    **OWN_RULES,
    **{check.__name__: check for check in (columns, legends, limits, units)},
}
DATASOURCE = "templating.list.0"
FIELDS = f"{UTILIZATION}.fieldConfig.defaults"
POOL_COLUMN = f"{POOLS}.fieldConfig.overrides.0"
ORGANIZE = f"{POOLS}.transformations.0.options"
OTHER = {"type": "loki", "uid": "logs"}
RATIO = "pool_observer_utilization_ratio"
POOL_LABEL = "db_client_connection_pool_name"
JOINED = {"id": "joinByField", "options": {"byField": "a"}}

BROKEN: dict[str, list[tuple[str, Any, str]]] = {
    "uneditable-dashboard-rule": [
        ("editable", True, "not to be edited"),
        ("editable", GONE, "not to be edited"),
    ],
    "template-datasource-rule": [
        (f"{DATASOURCE}.type", "textbox", "needs one variable `datasource`"),
        (f"{DATASOURCE}.query", "loki", "needs one variable `datasource`"),
        (f"{DATASOURCE}.label", "Source", "must be labelled"),
        ("templating.list", good()["templating"]["list"][::-1], "come first"),
    ],
    "template-job-rule": [
        (f"{JOB}.name", "service", "needs one variable `job`"),
        (f"{JOB}.type", "custom", "type must be 'query'"),
        (f"{JOB}.label", "Application", "label must be"),
        (f"{JOB}.multi", False, "multi must be True"),
        (f"{JOB}.datasource", OTHER, "datasource must be"),
    ],
    "template-instance-rule": [
        (f"{INSTANCE}.includeAll", False, "includeAll must be True"),
        (f"{INSTANCE}.allValue", GONE, "allValue must be"),
    ],
    "template-ours": [
        (f"{POOL}.multi", False, "`pool`: multi must be True"),
        (f"{HOLDER}.name", "route", "needs one variable `holder`"),
    ],
    "template-label-promql-rule": [
        (f"{JOB}.query", "label_names()", "neither label_values nor"),
        (f"{INSTANCE}.query.query", ("$job", "$pool"), "which comes later"),
    ],
    "template-on-time-change-reload-rule": [
        (f"{POOL}.refresh", 1, "is not asked again"),
    ],
    "panel-datasource-rule": [
        (f"{UTILIZATION}.datasource", GONE, "Utilization: panel asks another"),
        (f"{SESSIONS}.targets.0.datasource", OTHER, "server: A asks another"),
        ("annotations.list.0.datasource.uid", "p1", "annotation Alerts asks"),
    ],
    "panel-title-description-rule": [
        (f"{POOLS}.title", " ", "has no title"),
        (f"{SESSIONS}.description", GONE, "has no description"),
    ],
    "panel-units-rule": [
        (f"{FIELDS}.unit", "seconds", "'seconds' is no unit"),
        (f"{FIELDS}.unit", GONE, "None is no unit"),
        (f"{POOL_COLUMN}.properties.1.value", "text", "'text' is no unit"),
        (f"{UTILIZATION}.type", "heatmap", "None is no unit"),
    ],
    "panel-no-targets-rule": [
        (f"{POOLS}.targets", [], "Pools asks nothing"),
    ],
    "target-promql-rule": [
        (EXPR, "max by (job) (", "not PromQL"),
        (EXPR, (RATIO, "pool_observer_utilisation_ratio"), "nobody exports"),
        (EXPR, ("$job", "$service"), "no variable 'service'"),
        (EXPR, ("max by", "sum by"), "only the worst means something"),
        (EXPR, (RATIO, "pool_observer_checkouts_total"), "says nothing without"),
        ("annotations.list.0.expr", ("ALERTS{", "ALERT{"), "annotation Alerts: no"),
        (f"{HOLDER}.query.query", ("checkouts", "checkout"), "variable holder: no"),
        (f"{HOLDER}.query.query", ("_total,", '_total{how="a"},'), "no label how"),
    ],
    "target-rate-interval-rule": [
        (f"{POOLS}.targets.0.expr", ("$__rate_interval", "5m"), "is not over"),
        (
            EXPR,
            (f"({RATIO}{{{OWN}}})", f"(max_over_time({RATIO}{{{OWN}}}[5m]))"),
            "max_over_time is over 0:05:00",
        ),
        (
            EXPR,
            (f"({RATIO}{{{OWN}}})", f"(max_over_time({RATIO}{{{OWN}}}[1h:]))"),
            "max_over_time is over 1:00:00",
        ),
    ],
    "target-job-rule": [
        (EXPR, ('job=~"$job"', 'job="$job"'), 'without job=~"$job"'),
        (EXPR, ('job=~"$job", ', ""), 'without job=~"$job"'),
        (EXPR, ('job=~"$job"', 'job=~"$job", job="a"'), "that is written by hand"),
        ("annotations.list.0.expr", ('job=~"$job", ', ""), "annotation Alerts: ALERTS"),
    ],
    "target-instance-rule": [
        (EXPR, ('instance=~"$instance"', 'instance="a"'), "without instance"),
        (EXPR, ('instance=~"$instance"', 'instance=~"$job"'), "without instance"),
    ],
    "target-ours": [
        (EXPR, ('pool_name=~"$pool"', 'pool_name!~"$pool"'), "without db_client"),
        (f"{POOLS}.targets.0.expr", (', holder=~"$holder"', ""), "without holder"),
    ],
    "legends": [
        (f"{UTILIZATION}.targets.0.legendFormat", "{{instance}}", "has instance"),
        (f"{UTILIZATION}.targets.0.legendFormat", "", "has no legend"),
        ("annotations.list.0.titleFormat", "{{alert}}", "has alert"),
        ("annotations.list.0.tagKeys", "severity,level", "has level"),
    ],
    "columns": [
        (f"{ORGANIZE}.renameByName", {"pool": "Pool"}, "renameByName 'pool'"),
        (f"{ORGANIZE}.renameByName", {}, "an override of 'Pool', which is no column"),
        (f"{ORGANIZE}.excludeByName", {"Value #A": True}, "excludeByName 'Value #A'"),
        (f"{ORGANIZE}.excludeByName", {POOL_LABEL: True}, "an override of 'Pool'"),
        (f"{POOLS}.targets.+", {"refId": "B", "expr": "1"}, "renameByName 'Value'"),
        (f"{POOLS}.transformations.+", JOINED, "by 'a'"),
        (f"{POOLS}.transformations.0.id", "filterByName", "filterByName does not take"),
        (f"{ORGANIZE}.renamesByName", {}, "organize does not take"),
        (POOLS, "merged by other labels", "merges answers of different labels"),
        (f"{POOL_COLUMN}.matcher.options", "pool", "an override of 'pool'"),
        (LINK, ("fields.Pool", "fields.pool"), "a link takes 'pool'"),
        (LINK, ("${__data.fields.Pool", '${__data.fields["A b"]'), "a link takes 'A b'"),
        (LINK, ("__data.fields.Pool", "__field.labels.name"), "takes the label 'name'"),
        (f"{UTILIZATION}.fieldConfig.overrides.0.matcher.options", "B", "an override of query 'B'"),
    ],
    "units": [
        (f"{FIELDS}.unit", "s", "seconds to the power of 0, shown as 's'"),
        (f"{FIELDS}.unit", "short", "a ratio between 0 and 1, shown as 'short'"),
        (f"{FIELDS}.unit", "percent", "times 100 goes with the unit 'percent'"),
        (EXPR, ("max by", "100 * max by"), "times 100 goes with"),
        (EXPR, (RATIO, "pool_observer_peak_demand"), "shown as a ratio, which it is not"),
        (f"{POOLS}.fieldConfig.defaults.unit", "short", "seconds to the power of -1"),
        (f"{POOLS}.fieldConfig.overrides.+", "time-outs in seconds", "shown as 's'"),
        (f"{SESSIONS}.fieldConfig.defaults.unit", "ops", "shown as 'ops'"),
        (UTILIZATION, "heatmap of seconds as counts", "buckets are not in 'short'"),
    ],
    "limits": [
        (f"{FIELDS}.thresholds.steps.0.value", 0, "must be without a value"),
        (f"{FIELDS}.thresholds.steps.1.value", 1, "thresholds must rise"),
        (f"{FIELDS}.thresholds.steps.2.value", None, "thresholds must rise"),
        (f"{FIELDS}.thresholds.steps.2.value", 80, "in percent, of a ratio"),
        (f"{FIELDS}.unit", "percent", "as a ratio, of percent"),
        (f"{FIELDS}.custom", {}, "limits that no line shows"),
        (f"{FIELDS}.thresholds", GONE, "limits that no line shows"),
        (f"{POOLS}.fieldConfig.overrides.+", "limits of a column", "thresholds must rise"),
    ],
}
# What a name in the table stands for.
SPELLED: dict[str, Any] = {
    "time-outs in seconds": {
        "matcher": {"id": "byName", "options": "Time-outs"},
        "properties": [{"id": "unit", "value": "s"}],
    },
    "limits of a column": {
        "matcher": {"id": "byName", "options": "Time-outs"},
        "properties": [
            {"id": "unit", "value": "ops"},
            {"id": "thresholds", "value": {"steps": [{"value": None}, {"value": None}]}},
        ],
    },
    "merged by other labels": {
        **good()["panels"][2],
        "transformations": [{"id": "merge", "options": {}}],
        "targets": [
            {"refId": "A", "format": "table", "expr": f"sum by (job) ({RATIO}{{{OWN}}})"},
            {"refId": "B", "format": "table", "expr": f"sum by (instance) ({RATIO}{{{OWN}}})"},
        ],
    },
    "heatmap of seconds as counts": {
        **good()["panels"][0],
        "type": "heatmap",
        "options": {"yAxis": {"unit": "short"}},
        "targets": [
            {
                "refId": "A",
                "format": "heatmap",
                "expr": "sum by (le) (increase(db_client_connection_wait_time_seconds_bucket"
                f"{{{OWN}}}[$__rate_interval]))",
            }
        ],
    },
}


def test_the_small_dashboard_breaks_no_rule() -> None:
    board = Board.of(good())
    assert [(name, found) for name, check in CHECKS.items() for found in check(board)] == []


@pytest.mark.parametrize(
    ("check", "path", "value", "complaint"),
    [(check, *broken_so) for check, listed in BROKEN.items() for broken_so in listed],
)
def test_what_breaks_a_rule_is_found(check: str, path: str, value: Any, complaint: str) -> None:
    value = SPELLED.get(value, value) if isinstance(value, str) else value
    found = list(CHECKS[check](Board.of(broken(path, value))))
    assert any(complaint in each for each in found), found


def test_every_rule_has_been_broken() -> None:
    assert set(BROKEN) == set(CHECKS)


def test_every_difference_is_from_a_rule() -> None:
    assert set(DIFFERENCES) <= set(RULES)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("check", CHECKS)
def test_our_dashboards_break_no_rule(check: str, variant: str) -> None:
    settings = VARIANTS[variant]
    found = [
        (name, complaint)
        for name, dashboard in dashboards(settings).items()
        for complaint in CHECKS[check](Board.of(dashboard, settings))
    ]
    assert found == []


@pytest.mark.parametrize(("prefix", "variable"), EXEMPT)
def test_every_exemption_is_needed(prefix: str, variable: str) -> None:
    """Or else it would cover up the next mistake."""
    asked = [
        selector
        for dashboard in dashboards(Settings()).values()
        for question in Board.of(dashboard).questions()
        for selector in selectors(question.expression)
        if (selector.name or "").startswith(prefix)
    ]
    assert asked
    assert any(variable not in [each.name for each in found.matchers.matchers] for found in asked)


def test_every_window_of_its_own_belongs_to_a_panel() -> None:
    titles = {
        panel["title"]
        for dashboard in dashboards(Settings()).values()
        for panel in panels(dashboard)
    }
    assert set(WINDOWS) <= titles


def test_dashboards_need_no_rules() -> None:
    """What rules record is not there for those who have not loaded them."""
    for dashboard in dashboards(Settings()).values():
        for asked in Board.of(dashboard).questions():
            names = [selector.name or "" for selector in selectors(asked.expression)]
            assert not [name for name in names if ":" in name]
