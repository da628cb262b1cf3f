"""Runbooks: a section for every alert, with the figures and expressions of its rules."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from pool_observer.monitoring.alerts import ALERTS
from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.runbooks import runbooks, section
from pool_observer.monitoring.settings import WATCHED, Settings
from pool_observer.monitoring.words import in_words
from pool_observer.thresholds import Thresholds
from tests.monitoring.expressions import examined
from tests.monitoring.prometheus_series import prometheus_series
from tests.monitoring.runbook_parts import (
    FOLDER,
    HEADINGS,
    NAMES,
    SECTIONS,
    prose,
    raw,
    unfenced,
)

PAGE = runbooks(Settings())


# The page


def test_every_alert_has_its_section_and_no_section_is_without_an_alert() -> None:
    assert {each.name for each in FOLDER.iterdir()} == {f"{name}.md" for name in NAMES}
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_has_all_headings_in_order(name: str) -> None:
    headings = re.findall(r"^#+ (.+)$", unfenced(SECTIONS[name]), re.MULTILINE)
    assert tuple(headings) == (name, *HEADINGS)
    first, *texts = re.split(r"^### .+\n", unfenced(raw(name)), flags=re.MULTILINE)
    assert first == ""
    assert all(text.strip() for text in texts)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_the_sections_as_they_are_printed_one_by_one(name: str) -> None:
    assert section(name, Settings()) in PAGE


def test_every_link_of_an_alert_leads_to_its_section() -> None:
    anchors = {
        heading.lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    }
    for group in rule_groups(Settings()):
        for rule in group["rules"]:
            if "alert" in rule:
                url, _, fragment = rule["annotations"]["runbook_url"].partition("#")
                assert url == Settings().runbook_url
                assert fragment in anchors
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) == {name.lower() for name in NAMES}


def test_an_alert_that_does_not_exist_has_no_section() -> None:
    with pytest.raises(ValueError, match="no alert is called PoolOnFire: there are ConnectionPool"):
        section("PoolOnFire", Settings())


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_the_head_of_a_section_has_the_rule(alert: Any) -> None:
    (rule, *_) = [
        rule
        for group in rule_groups(Settings())
        for rule in group["rules"]
        if rule.get("alert") == alert.name and alert.severity == rule["labels"]["severity"]
    ]
    head, _, _ = SECTIONS[alert.name].partition("###")
    assert rule["expr"] in head
    assert f"* {alert.severity}: fires " in head
    if alert.hold and getattr(Thresholds(), alert.hold) == 0:
        assert ", at once\n" in head
    elif alert.hold:
        assert f" for {in_words(alert.hold, Thresholds())}\n" in head


@pytest.mark.parametrize(
    ("name", "fires"),
    [
        ("ConnectionPoolNearlyFull", "at {high_ratio} or more for {high_for}"),
        ("ConnectionPoolAcquireSlow", "above {slow_wait} for {slow_wait_for}"),
        ("ConnectionPoolQueueWait", "above {queue_wait}, at once"),
        ("ConnectionPoolLostConnections", "above 0, at once"),
        ("DatabaseNotAnswering", "at 0 for {server_down_for}"),
        (
            "ConnectionPoolTimeoutBudgetBurn",
            "above {slow_burn} x {error_ratio}, over {slow_burn_window} and over the last "
            "{slow_burn_recent}",
        ),
    ],
)
def test_when_an_alert_fires_is_said_in_words(name: str, fires: str) -> None:
    words = {each: in_words(each, Thresholds()) for each in WATCHED}
    assert f": fires {fires.format_map(words)}\n" in SECTIONS[name]


@pytest.mark.parametrize("name", NAMES)
def test_alerts_that_a_section_refers_to_exist(name: str) -> None:
    found = re.findall(r"\b(?:ConnectionPool|Database|EventLoop|PoolObserver)[A-Z]\w+", raw(name))
    assert set(found) <= {*NAMES, "PoolObserverMiddleware"}


# Placeholders


@pytest.mark.parametrize("name", NAMES)
def test_no_placeholder_is_left(name: str) -> None:
    assert not re.search(r"<[A-Za-z]", SECTIONS[name])


@pytest.mark.parametrize(
    "placeholder",
    [
        "<slow_weight>",
        "<query:utilisation>",
        "<set:slow>",
        "<number:>",
        "<limit>",
        "<a:slow_wait>",
        "<query:lost:now>",
    ],
)
def test_a_placeholder_that_nothing_is_known_of_is_refused(
    placeholder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pool_observer.monitoring.runbooks._prose", lambda name: placeholder)
    with pytest.raises(ValueError, match=placeholder):
        section("ConnectionPoolLeak", Settings())


def test_an_expression_of_several_lines_stays_within_its_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "1. Ask:\n\n   ```promql\n   <query:leaked>\n   ```\n"
    monkeypatch.setattr("pool_observer.monitoring.runbooks._prose", lambda name: text)
    _, _, item = section("ConnectionPoolLeak", Settings()).partition("1. Ask:\n\n")
    assert len(item.splitlines()) == 5
    assert all(line.startswith("   ") for line in item.splitlines())


# Figures


def odd_figures() -> Thresholds:
    """Every threshold another than it is, and no two the same in words."""
    figures: dict[str, float] = {}
    for place, name in enumerate(WATCHED):
        unit = in_words(name, Thresholds())[-1]
        figures[name] = {"%": 0.0111 + place / 10_000}.get(unit, 1001.5 + place)
    return replace(Thresholds(), **{**figures, "queue_wait": 5.0, "slow_wait_quantile": 0.77})  # type: ignore[arg-type]


def test_no_figure_of_a_threshold_is_written_by_hand() -> None:
    odd = odd_figures()
    page = prose(runbooks(Settings(odd)))
    new = {in_words(name, odd) for name in WATCHED}
    left = {
        words
        for name in WATCHED
        if re.search(r"\d .", words := in_words(name, Thresholds()))
        if re.search(rf"(?<![\d.]){re.escape(words)}(?!\w)", page)
    }
    assert not left - new


@pytest.mark.parametrize("name", NAMES)
def test_prose_has_no_figure_with_a_unit_of_its_own(name: str) -> None:
    text = re.sub(r"<[^>]*>", "", prose(raw(name)))
    assert not re.search(r"\d\s?(%|ms|s|min|h|seconds|minutes|hours|days)\b", text)


def test_a_threshold_that_is_changed_is_changed_everywhere() -> None:
    page = runbooks(Settings(Thresholds(slow_wait=0.3)))
    assert "500 ms" in PAGE
    assert "slow_wait=0.5" in PAGE
    assert "500 ms" not in page
    assert "slow_wait=0.5" not in page
    assert page.count("300 ms") == PAGE.count("500 ms")
    assert page.count("slow_wait=0.3") == PAGE.count("slow_wait=0.5")
    assert re.search(r"> 0\.3\b", page)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.severity}")
def test_a_section_says_how_each_threshold_of_its_alert_is_changed(alert: Any) -> None:
    wanted = {alert.limit, alert.hold, alert.window} - {""}
    if alert.burn is not None:
        parts = ("burn", "burn_window", "burn_recent")
        wanted |= {"error_ratio", *(f"{alert.burn.kind}_{part}" for part in parts)}
    wanted |= {name for name in re.findall(r"<(\w+)>", alert.description) if name in WATCHED}
    assert wanted <= set(re.findall(r"<set:(\w+)>", raw(alert.name)))


@pytest.mark.parametrize(
    "settings",
    [Settings(selector='namespace="shop"', keep=("cluster",)), Settings(job_label="service")],
    ids=["selector", "job label"],
)
def test_queries_are_asked_with_a_users_own_labels(settings: Settings) -> None:
    known = prometheus_series(settings)
    text = runbooks(settings)
    for query in re.findall(r"^ *```promql\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
        assert examined(query, known)[1] == []
        if settings.selector and "pool_observer" in query and ":" not in query:
            assert settings.selector in query
