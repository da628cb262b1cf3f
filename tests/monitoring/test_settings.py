from __future__ import annotations

import math
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from pool_observer.buckets import WAIT_BOUNDS
from pool_observer.monitoring.dashboards import dashboards
from pool_observer.monitoring.files import dashboard_files, rule_files
from pool_observer.monitoring.rules import kubernetes
from pool_observer.monitoring.scope import Scope
from pool_observer.monitoring.settings import WATCHED, Settings
from pool_observer.thresholds import Thresholds


def _all_files(settings: Settings) -> str:
    return "".join((*rule_files(settings).values(), *dashboard_files(settings).values()))


_DEFAULT = _all_files(Settings())


def _another(name: str) -> Settings:
    """With another value of that threshold."""
    value = getattr(Thresholds(), name)
    other = WAIT_BOUNDS[0] if name == "queue_wait" else value * 0.9 or 60.0
    changed: dict[str, Any] = {name: other}
    return Settings(replace(Thresholds(), **changed))


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: str(field.name))
def test_a_threshold_makes_a_difference_if_and_only_if_it_can_be_set(field: Any) -> None:
    if field.name in WATCHED:
        assert _all_files(_another(field.name)) != _DEFAULT
    else:
        assert _all_files(_another(field.name)) == _DEFAULT


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"job_label": "my-job"}, "no name of a label"),
        ({"job_label": "db_client_connection_pool_name"}, "means something else"),
        ({"instance_label": "holder"}, "means something else"),
        ({"keep": ("le",)}, "means something else"),
        ({"keep": ("severity",)}, "means something else"),
        ({"keep": ("window",)}, "means something else"),
        ({"keep": ("__address__",)}, "means something else"),
        ({"keep": ("job",)}, "differ from each other"),
        ({"keep": ("cluster", "cluster")}, "differ from each other"),
        ({"keep": ("pool", "pool_label")}, "one variable"),
        ({"selector": "namespace=shop"}, "label matchers"),
        ({"selector": 'a="b"} or vector(1)'}, "label matchers"),
        ({"selector": 'a="`b"'}, "label matchers"),
        ({"selector": r'path=~"\d+"'}, "a backslash in it is written twice"),
        ({"selector": 'a="b", c=~"(shop"'}, "is no pattern"),
        ({"selector": r'a=~"shop|\\"'}, "is no pattern"),
        ({"grafana_url": "grafana.example.com"}, "is not an address"),
        ({"grafana_url": "https://grafana.example.com/?orgId=2"}, "is not an address"),
        ({"runbook_url": 'https://wiki/"x'}, "is not an address"),
        ({"runbook_url": "https://wiki/pools#top"}, "is not an address"),
        ({"datasource": "my prometheus"}, "no uid"),
        ({"datasource": "${datasource}"}, "no uid"),
        ({"name": ""}, "no name for rules"),
        ({"name": "shop-pools"}, "no name for rules"),
        ({"name": "shop:pools"}, "no name for rules"),
        ({"name": "_pools"}, "no name for rules"),
        ({"name": "pools_"}, "no name for rules"),
        ({"max_connections": 0}, "1 or more"),
        ({"thresholds": Thresholds(queue_wait=3)}, "at a bound of the histogram"),
        ({"thresholds": Thresholds(slow_wait_quantile=95)}, "between 0 and 1"),
        ({"thresholds": Thresholds(leak_window=0)}, "leak_window must be longer"),
        ({"thresholds": Thresholds(rate_window=0)}, "rate_window must be longer"),
        ({"thresholds": Thresholds(fast_burn_window=21600)}, "below slow_burn_window"),
        ({"thresholds": Thresholds(steady_burn_window=21600)}, "below steady"),
        ({"thresholds": Thresholds(server_reserve_ratio=1)}, "nothing is left for pools"),
        ({"thresholds": Thresholds(churn_for=1e9)}, "churn_for must be less than"),
    ],
)
def test_settings_that_no_prometheus_would_understand_are_refused(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Settings(**given)


@pytest.mark.parametrize("limit", [math.inf, math.nan])
def test_a_limit_that_no_figure_can_have_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="loop_lag"):
        Settings(Thresholds(loop_lag=limit))


@pytest.mark.parametrize(
    "selector",
    [
        'namespace="shop"',
        'namespace=~"shop|orders", cluster!="test",',
        r'path="C:\\shop"',
        r'pod=~"shop-\\d+"',
        'said="\\"no\\""',
    ],
)
def test_a_selector_that_prometheus_understands_is_in_every_query(selector: str) -> None:
    settings = Settings(selector=selector)
    asked = Scope(settings).series("pool_observer.oldest_hold")
    assert asked == f"pool_observer_oldest_hold_seconds{{{selector.rstrip(',')}}}"


def test_a_label_to_keep_that_is_called_as_one_of_our_variables_gets_another_one() -> None:
    settings = Settings(job_label="service", keep=("job", "pool", "cluster"))
    assert settings.variables == {
        "job_label": "job",
        "pool_label": "pool",
        "cluster": "cluster",
        "job": "service",
        "instance": "instance",
    }
    for dashboard in dashboards(settings).values():
        names = [variable["name"] for variable in dashboard["templating"]["list"]]
        assert len(names) == len(set(names))
        assert {*settings.variables, "pool", "holder"} <= set(names)


@pytest.mark.parametrize(
    ("name", "called"), [("pool_observer", "pool-observer"), ("Shop_2", "shop-2"), ("a", "a")]
)
def test_rules_are_called_after_their_name(name: str, called: str) -> None:
    rules = kubernetes(Settings(name=name))
    assert rules["metadata"]["name"] == called
    assert {group["name"].split(".")[0] for group in rules["spec"]["groups"]} == {name}
    recorded = [
        rule["record"]
        for group in rules["spec"]["groups"]
        for rule in group["rules"]
        if "record" in rule
    ]
    assert recorded
    assert all(record.startswith(f"pool:{name}_") for record in recorded)


def test_runbooks_are_where_the_project_says_they_are() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert Settings().runbook_url == project["urls"]["Runbooks"]
