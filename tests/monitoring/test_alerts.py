"""What rules, panels and texts say of a limit is the same, because it is there once."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pool_observer.monitoring.alert import Alert
from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.dashboards import DASHBOARDS, dashboards
from pool_observer.monitoring.dashboards.panel import Panel
from pool_observer.monitoring.inhibition import inhibition
from pool_observer.monitoring.rules import kubernetes, rule_groups
from pool_observer.monitoring.scope import Scope
from pool_observer.monitoring.settings import Settings
from pool_observer.monitoring.signals import SIGNALS
from pool_observer.thresholds import Thresholds

_IDS = [f"{alert.name}-{alert.severity}" for alert in ALERTS]
_UNLIKE = Settings(
    Thresholds(
        full_ratio=0.97, high_ratio=0.71, slow_wait=0.25, queue_wait=5, leaked_connections=0.7,
        idle_capacity_ratio=0.41, idle_in_transaction=1.7, churn_ratio=0.33, loop_lag=1.3,
        server_used_ratio=0.87,
    )
)  # fmt: skip


def _rules(settings: Settings, name: str) -> list[dict[str, Any]]:
    return [
        rule
        for group in rule_groups(settings)
        for rule in group["rules"]
        if rule.get("alert") == name
    ]


def _shown_as(signal: str) -> str:
    """The signal that a panel shows where the alert has one of its own."""
    return {"wait_quantile": "wait_p95", "leaks": "leaked"}.get(signal, signal)


def _panels(signal: str) -> list[Panel]:
    return [
        panel
        for dashboard in DASHBOARDS
        for row in dashboard.rows
        for panel in row.panels
        if panel.shown[0].signal == signal
    ]


@pytest.mark.parametrize("alert", ALERTS, ids=_IDS)
def test_an_alert_fires_at_a_limit_that_its_signals_have_with_its_severity(alert: Alert) -> None:
    for signal in alert.watched:
        limits = {limit.field: limit.severity for limit in signal.limits}
        if alert.limit:
            assert limits[alert.limit] == alert.severity


@pytest.mark.parametrize("settings", [Settings(), _UNLIKE], ids=["default", "unlike"])
@pytest.mark.parametrize(
    "alert", [each for each in ALERTS if each.limit], ids=lambda alert: str(alert.name)
)
def test_the_rule_and_the_lines_in_panels_have_the_same_value(
    alert: Alert, settings: Settings
) -> None:
    limit = getattr(settings.thresholds, alert.limit)
    (rule,) = _rules(settings, alert.name)
    compared = {float(each) for each in re.findall(r"[<>=]=? ([0-9.]+)(?:\n|$)", rule["expr"])}
    steps = [
        [step["value"] for step in shown["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for dashboard in dashboards(settings).values()
        for shown in _flat(dashboard["panels"])
        if shown.get("title") in {panel.title for panel in _panels(_shown_as(alert.signals[0]))}
    ]

    assert limit in compared
    assert all(limit in each for each in steps)
    assert steps


def test_every_signal_is_shown_or_watched() -> None:
    shown = {
        each.signal
        for dashboard in DASHBOARDS
        for row in dashboard.rows
        for panel in row.panels
        for each in panel.shown
    }
    watched = {name for alert in ALERTS for name in alert.signals}

    assert set(SIGNALS) == {name for name in shown if isinstance(name, str)} | watched


def test_alerts_of_the_same_name_differ_in_their_labels() -> None:
    every = [
        (rule["alert"], *sorted(rule["labels"].items()))
        for group in rule_groups(Settings())
        for rule in group["rules"]
        if "alert" in rule
    ]

    assert len(set(every)) == len(every) == len(ALERTS)


def test_what_is_recorded_stands_before_what_watches_it_and_nothing_is_recorded_in_vain() -> None:
    for group in rule_groups(Settings()):
        recorded = [rule["record"] for rule in group["rules"] if "record" in rule]
        kinds = ["record" in rule for rule in group["rules"]]
        asked = "\n".join(rule["expr"] for rule in group["rules"])

        assert kinds == sorted(kinds, reverse=True)
        assert all(name in asked for name in recorded)


def test_the_operator_gets_the_same_rules() -> None:
    assert kubernetes(Settings())["spec"] == {"groups": rule_groups(Settings())}


def test_only_alerts_that_there_are_inhibit_and_are_inhibited_by_labels_that_both_have() -> None:
    scope = Scope(Settings())
    labels = {alert.name: set(scope.labels(alert.by).split(", ")) for alert in ALERTS}

    for rule in inhibition(Settings())["inhibit_rules"]:
        (source,) = re.findall(r'alertname="(\w+)"', rule["source_matchers"][0])
        targets = re.findall(r'alertname=~?"([\w|]+)"', rule["target_matchers"][0])[0].split("|")
        for name in (source, *targets):
            assert set(rule["equal"]) <= labels[name]


@pytest.mark.parametrize("alert", ALERTS, ids=_IDS)
def test_a_text_names_what_it_is_about(alert: Alert) -> None:
    said = alert.annotations(Scope(Settings()))

    for part in alert.by:
        word = {
            "(job)": "job",
            "(instance)": "instance",
            "(pool)": "db_client_connection_pool_name",
        }
        assert f"$labels.{word.get(part, part)} " in said["description"]
    assert not re.search(r"<\w+>", "".join(said.values()))


def _flat(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for panel in panels for each in (panel, *panel.get("panels", []))]
