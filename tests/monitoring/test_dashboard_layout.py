"""Whether dashboards can be imported, linked to and read: broken ones, and those that we ship."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from pool_observer.monitoring.dashboards import dashboards
from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.settings import Settings
from tests.monitoring.breaking import (
    COLLAPSED,
    GONE,
    LINK,
    POOLS,
    SESSIONS,
    UTILIZATION,
    broken,
)
from tests.monitoring.grafana import Json, panels, variables
from tests.monitoring.handmade import good
from tests.monitoring.layout import head, links, numbers, places
from tests.monitoring.variants import OTHER_THRESHOLDS, VARIANTS

OURS = ["pool-observer-pool"]


def links_to_ours(dashboard: Json) -> Iterator[str]:
    return links(dashboard, OURS)


CHECKS: dict[str, Callable[[Json], Iterator[str]]] = {
    check.__name__: check for check in (head, numbers, places, links_to_ours)
}
ROW = "panels.1"
OPEN = [{"title": "Open", "url": "/d/pool-observer-pool"}]

BROKEN: list[tuple[str, str, Any, str]] = [
    ("head", "uid", "", "'' is no uid"),
    ("head", "uid", "x" * 41, "is no uid"),
    ("head", "uid", "a b", "is no uid"),
    ("head", "id", 12, "must be null"),
    ("head", "schemaVersion", 36, "schemaVersion must be 42"),
    ("head", "title", "", "needs title"),
    ("head", "tags", [], "needs tags"),
    ("head", "refresh", GONE, "needs refresh"),
    ("head", "time", {}, "needs time"),
    ("head", "__inputs", [], "inputs are asked for"),
    ("head", f"{UTILIZATION}.datasource.uid", "${DS_PROMETHEUS}", "inputs are asked for"),
    ("numbers", f"{SESSIONS}.id", 1, "id 1 of 2 panels"),
    ("numbers", f"{ROW}.id", 4, "id 4 of 2 panels"),
    ("numbers", f"{SESSIONS}.id", 0, "id 0 of 1"),
    ("numbers", f"{UTILIZATION}.id", GONE, "id None of 1"),
    ("numbers", f"{UTILIZATION}.targets.0.refId", "", "Utilization: queries ['']"),
    ("numbers", f"{POOLS}.targets.+", {"refId": "A"}, "Pools: queries ['A', 'A']"),
    ("places", f"{UTILIZATION}.gridPos.x", 13, "Utilization is outside"),
    ("places", f"{UTILIZATION}.gridPos.x", -1, "Utilization is outside"),
    ("places", f"{SESSIONS}.gridPos.w", 25, "server is outside"),
    ("places", f"{UTILIZATION}.gridPos.h", 0, "Utilization has no size"),
    ("places", f"{POOLS}.gridPos.y", 7, "Pools overlaps"),
    ("places", f"{COLLAPSED}.panels.+", good()["panels"][3]["panels"][0], "server overlaps"),
    ("places", f"{ROW}.gridPos.w", 12, "is not as wide"),
    ("places", f"{ROW}.gridPos.h", 2, "not one high"),
    ("places", f"{COLLAPSED}.collapsed", False, "a collapsed row has its panels in it"),
    ("places", f"{COLLAPSED}.panels", [], "a collapsed row has its panels in it"),
    ("places", f"{SESSIONS}.gridPos.y", 15, "is not below its row"),
    ("places", "panels", good()["panels"][::-1], "not listed from top to bottom"),
    ("links_to_ours", "links.0.includeVars", False, "loses variables or time"),
    ("links_to_ours", "links.0.keepTime", GONE, "loses variables or time"),
    ("links_to_ours", LINK, ("-pool?", "-pools?"), "leads to pool-observer-pools"),
    ("links_to_ours", LINK, ("/d/", "d/x/"), "leads to x, which is not ours"),
    ("links_to_ours", LINK, "#top", "leads nowhere"),
    ("links_to_ours", LINK, ("&${job:queryparam}", ""), "carries job 0 times"),
    ("links_to_ours", LINK, ("&${job:queryparam}", "&${job}"), "carries job 0 times"),
    ("links_to_ours", LINK, ("&${job:queryparam}", "&${__all_variables}"), "carries pool 2 times"),
    ("links_to_ours", LINK, ("${job:queryparam}", "var-job=$job"), "of several values"),
    ("links_to_ours", LINK, (":percentencode", ""), "not encoded for an address"),
    ("links_to_ours", LINK, ("&${__url_time_range}", ""), "loses the time"),
    ("links_to_ours", LINK, ("${__url_time_range}", "from=${__from}"), "loses the time"),
    ("links_to_ours", f"{UTILIZATION}.links", OPEN, "link Open carries job 0 times"),
    ("links_to_ours", f"{SESSIONS}.fieldConfig.defaults.links", OPEN, "loses the time"),
]


def test_the_small_dashboard_is_laid_out_well() -> None:
    assert [(name, found) for name, check in CHECKS.items() for found in check(good())] == []


@pytest.mark.parametrize(("check", "path", "value", "complaint"), BROKEN)
def test_what_is_out_of_place_is_found(check: str, path: str, value: Any, complaint: str) -> None:
    found = list(CHECKS[check](broken(path, value)))
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("${__url_time_range}", "from=${__from}&to=${__to}"),
        ("${datasource:queryparam}", "var-datasource=${datasource}"),
    ],
)
def test_there_are_several_ways_to_carry_something(old: str, new: str) -> None:
    dashboard = good()
    link = dashboard["panels"][2]["fieldConfig"]["overrides"][0]["properties"][0]["value"][0]
    link["url"] = link["url"].replace(old, new)
    assert list(links(dashboard, OURS)) == []


def test_a_link_may_lead_to_what_is_no_dashboard() -> None:
    dashboard = broken(LINK, "https://example.com/runbooks#leak")
    assert list(links(dashboard, OURS)) == []


@pytest.fixture(params=VARIANTS)
def ours(request: pytest.FixtureRequest) -> dict[str, Json]:
    return dashboards(VARIANTS[request.param])


@pytest.mark.parametrize("check", [head, numbers, places])
def test_our_dashboards_are_laid_out_well(
    check: Callable[[Json], Iterator[str]], ours: dict[str, Json]
) -> None:
    assert [(name, each) for name, found in ours.items() for each in check(found)] == []


def test_our_links_carry_variables_and_time_to_our_dashboards(ours: dict[str, Json]) -> None:
    uids = [dashboard["uid"] for dashboard in ours.values()]
    assert [(name, each) for name, found in ours.items() for each in links(found, uids)] == []


def test_our_dashboards_have_the_uids_that_alerts_link_to(ours: dict[str, Json]) -> None:
    assert {name: dashboard["uid"] for name, dashboard in ours.items()} == {
        f"{key}.json": f"pool-observer-{key}" for key in ("fleet", "pool", "holders", "database")
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_alerts_lead_to_our_dashboards_and_set_variables_of_theirs(variant: str) -> None:
    written = dashboards(VARIANTS[variant]).values()
    names = {each["uid"]: {found["name"] for found in variables(each)} for each in written}
    alerts = [
        rule["annotations"]["dashboard_url"]
        for group in rule_groups(VARIANTS[variant])
        for rule in group["rules"]
        if "alert" in rule
    ]
    assert alerts
    for url in alerts:
        uid, _, query = url.partition("/d/")[2].partition("?")
        assert set(re.findall(r"var-(\w+)=", query)) <= names[uid]


def test_all_our_dashboards_have_the_same_variables(ours: dict[str, Json]) -> None:
    first, *others = [variables(dashboard) for dashboard in ours.values()]
    assert [each["name"] for each in first if each["name"] != "cluster"] == [
        *("datasource", "job", "instance", "pool", "holder")
    ]
    assert others == [first] * 3


def test_no_two_panels_of_a_dashboard_have_the_same_title(ours: dict[str, Json]) -> None:
    for dashboard in ours.values():
        titles = Counter(panel["title"] for panel in panels(dashboard))
        assert [title for title, times in titles.items() if times > 1] == []


def test_every_panel_says_what_to_do_about_it(ours: dict[str, Json]) -> None:
    """A question, and after it what to do: if it is red, where there is a limit."""
    for dashboard in ours.values():
        for panel in panels(dashboard):
            question, _, mend = panel["description"].partition("\n\n")
            assert "?" in question, panel["title"]
            colours = _colours(panel)
            if "red" in colours or "orange" in colours:
                assert mend.startswith("**If it is "), panel["title"]
                assert any(colour in mend for colour in colours), panel["title"]
            assert len(mend.partition(":**")[2].split()) >= 4, panel["title"]


def _colours(panel: Json) -> set[str]:
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    return {step["color"] for step in steps}


def test_limits_are_those_of_the_settings() -> None:
    """With other settings no limit is left of the usual ones: none is written by hand."""
    changed = {value for value in asdict(OTHER_THRESHOLDS).values() if value}
    own = {0.001, 1}  # anything at all, and yes
    found = _limits(dashboards(Settings(thresholds=OTHER_THRESHOLDS)))
    assert len(found) > 10
    assert found - changed <= own
    assert _limits(dashboards(Settings())) != found


def _limits(written: dict[str, Json]) -> set[float]:
    found: list[Json] = []

    def steps(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(value.get("steps", []) if isinstance(value.get("steps"), list) else [])
            value = list(value.values())
        for inner in value if isinstance(value, list) else []:
            steps(inner)

    steps(list(written.values()))
    return {step["value"] for step in found if step["value"] is not None}


def test_json_says_no_more_than_json_can(ours: dict[str, Json]) -> None:
    for dashboard in ours.values():
        assert json.loads(json.dumps(dashboard, allow_nan=False)) == dashboard
