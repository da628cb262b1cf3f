"""Does each alert fire when it should, and only then? On a real service and a real Prometheus."""

from __future__ import annotations

import re
from urllib.parse import quote_plus, urlsplit

import pytest

from tests.monitoring.live.accelerated import EVALUATION_SECONDS, SCRAPE_SECONDS, accelerated
from tests.monitoring.live.phases import CHAT, PHASES
from tests.monitoring.live.service import CALM_POOL, POOL
from tests.monitoring.live.story import Story
from tests.monitoring.live.watching import RULES, Alert

ALERTS = sorted({rule["alert"] for rule in RULES})
SAID = ("summary", "description", "runbook_url", "dashboard_url")

OF_THE_WHOLE_PROCESS = {"ConnectionPoolMetricsAbsent"}
"""What all pools of a process suffer from, each by its name."""
VARIABLES = {
    "job": "job",
    "instance": "instance",
    "db_client_connection_pool_name": "pool",
    "holder": "holder",
}
"""What dashboards call a label."""

OF_POOL = f'db_client_connection_pool_name="{POOL}"'

BLAMED = {
    "ConnectionPoolIdleCapacity": CHAT,
    "ConnectionPoolIdleInTransaction": CHAT,
    "ConnectionPoolLeak": "POST /keep",
    "ConnectionPoolOverdueHolds": "POST /keep",
    "ConnectionPoolLostConnections": "POST /lose",
    "ConnectionPoolNestedCheckouts": "POST /nested",
    "DatabaseLockHeld": "POST /transfer/{item}",
}
"""Whom alerts name that name somebody."""


def alerts_told(story: Story, name: str) -> list[Alert]:
    return [
        alert
        for told in story.phases.values()
        for alert in told.alerts
        if alert["labels"]["alertname"] == name
    ]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_in_its_phases_and_in_no_other(alert: str, story: Story) -> None:
    expected = {phase.name for phase in PHASES if alert in phase.alerts}
    assert expected
    assert story.fired_in(alert) == expected


@pytest.mark.parametrize("phase", ["healthy", "recovered"])
def test_nothing_fires_while_all_is_well(phase: str, story: Story) -> None:
    assert not story.alerts_of(story.phases[phase])


def test_a_healthy_pool_is_not_alerted_of_for_the_trouble_of_the_one_beside(story: Story) -> None:
    assert {
        series.labels["alertname"]
        for series in story.firing
        if series.labels.get("db_client_connection_pool_name") == CALM_POOL
    } == OF_THE_WHOLE_PROCESS


def test_alerts_name_who_it_is_and_nobody_else(story: Story) -> None:
    blamed = {
        (series.labels["alertname"], series.labels["holder"])
        for series in story.firing
        if "holder" in series.labels
    }
    assert blamed == set(BLAMED.items())


def test_idle_capacity_is_told_of_before_the_pool_is_full(story: Story) -> None:
    warned = story.first_fired("ConnectionPoolIdleCapacity")
    assert warned < story.first_fired("ConnectionPoolExhausted")
    (utilization,) = story.watcher.between(
        f'pool_observer_utilization_ratio{{instance="{story.instance}", {OF_POOL}}}',
        story.phases["exhausted"].began,
        warned - SCRAPE_SECONDS - EVALUATION_SECONDS,  # what it was warned of
    )
    assert max(ratio for _, ratio in utilization.samples) < accelerated().thresholds.high_ratio


def test_every_window_of_the_budget_burns(story: Story) -> None:
    burning = [rule for rule in RULES if rule["alert"] == "ConnectionPoolTimeoutBudgetBurn"]
    told = alerts_told(story, "ConnectionPoolTimeoutBudgetBurn")
    windows = {rule["labels"]["window"] for rule in burning}
    assert {alert["labels"]["window"] for alert in told} == windows
    assert len(windows) == 3


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_says_is_complete(alert: str, said: str, story: Story) -> None:
    texts = [told["annotations"][said] for told in alerts_told(story, alert)]
    assert texts
    for text in texts:
        assert text.strip()
        assert not re.search(r"<no value>|NaN|Inf|\{\{|\}\}|<error|%!|<\w+>| \(\)|  ", text)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_links_to_what_it_is_about(alert: str, story: Story) -> None:
    for told in alerts_told(story, alert):
        about = {name: told["labels"].get(label) for label, name in VARIABLES.items()}
        chosen = {f"var-{name}={quote_plus(value)}" for name, value in about.items() if value}
        link = urlsplit(told["annotations"]["dashboard_url"])
        assert set(link.query.split("&")) == chosen


def test_a_blocked_event_loop_is_told_of_once_however_many_pools_it_has(story: Story) -> None:
    (told,) = alerts_told(story, "EventLoopBlocked")
    assert told["labels"].keys() == {"alertname", "severity", "job", "instance"}


def test_prometheus_could_evaluate_every_rule(story: Story) -> None:
    rules = [
        rule for group in story.watcher.get("/api/v1/rules")["groups"] for rule in group["rules"]
    ]
    assert {rule["health"] for rule in rules} == {"ok"}


@pytest.mark.parametrize(
    "alert", ["ConnectionPoolExhausted", "ConnectionPoolQueueWait", "ConnectionPoolNearlyFull"]
)
def test_a_full_pool_says_who_holds_it(alert: str, story: Story) -> None:
    for told in alerts_told(story, alert):
        assert re.search(rf"\d\.\d x {re.escape(CHAT)}", told["annotations"]["description"])
