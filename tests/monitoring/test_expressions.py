"""That the checks of expressions find what is wrong, and that nothing is in our rules."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pool_observer.contract import CONTRACT
from pool_observer.metric import Across, Kind
from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.settings import Settings
from pool_observer.prometheus_names import series_name
from tests.monitoring.expressions import examined
from tests.monitoring.known_series import Series, our_series
from tests.monitoring.nodes import is_selector, selectors
from tests.monitoring.prometheus_series import prometheus_series
from tests.monitoring.variants import VARIANTS

KNOWN = {
    "total": Series(frozenset({"job", "instance", "holder"}), counter=True),
    "seconds_total": Series(frozenset({"job", "instance", "holder"}), counter=True, seconds=1),
    "wait_bucket": Series(frozenset({"job", "instance", "le"}), counter=True, buckets=1),
    "gauge": Series(frozenset({"job", "instance"})),
    "age_seconds": Series(frozenset({"job", "instance"}), seconds=1, one_worst=True),
    "full_ratio": Series(frozenset({"job", "instance"}), scale="share", one_worst=True),
    "used": Series(frozenset({"job", "instance"}), adds_up=True),
    "info": Series(frozenset({"job", "instance", "size"}), follow=frozenset({"size"})),
}


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("sum(", "not PromQL"),
        ("nothing", "nobody exports nothing"),
        ('{__name__=~"total.*"}', "nobody exports a series without a name"),
        ('gauge{holder="a"}', "gauge has no label holder"),
        ('gauge{job="a" or instance="b"}', "'or' between matchers"),
        # rates
        ("total", "says nothing without rate or increase"),
        ("sum(total)", "says nothing without rate or increase"),
        ("max_over_time(total[5m])", "max_over_time of total, which is a counter"),
        ("delta(total[5m])", "delta of total, which is a counter"),
        ("rate(gauge[5m])", "rate of gauge, which is no counter"),
        ("increase(gauge[5m])", "increase of gauge, which is no counter"),
        ("count(rate(gauge[5m]))", "rate of gauge, which is no counter"),
        ("rate(sum(gauge)[5m:])", "rate of a subquery"),
        # labels
        ("sum by (holder) (gauge)", "sum by or without holder, which is not there"),
        ("sum without (holder) (gauge)", "sum by or without holder, which is not there"),
        ("sum by (size) (sum by (job) (gauge))", "size, which is not there"),
        ("sum(gauge) / gauge", "/ matches instance, which the left side does not have"),
        ("gauge / on (size) gauge", "/ matches size"),
        ("gauge / on (job) gauge", "several series differ in instance only"),
        ("gauge * on (job, instance) group_left (size) gauge", "brings size, which is not there"),
        ("gauge * on (job) group_left () gauge", "several series differ in instance only"),
        ("gauge and on (size) info", "and matches size, which the left side does not have"),
        ("gauge unless sum by (job) (gauge)", "unless matches instance"),
        ('label_replace(gauge, "a", "$1", "b", "(.*)")', "label_replace reads b"),
        # histograms
        ("histogram_quantile(0.9, sum by (job) (rate(wait_bucket[5m])))", "needs the label le"),
        ("histogram_quantile(0.9, increase(wait_bucket[5m]))", "needs rates of buckets"),
        # workers
        ("sum by (job) (full_ratio)", "of which only the worst means something"),
        ("avg(age_seconds)", "of which only the worst means something"),
        ("sum(max by (job, instance) (full_ratio))", "of which only the worst means something"),
        ("max by (job) (used)", "max of figures that add up"),
        ("avg(used > 1)", "avg of figures that add up"),
        ("min by (job) (max by (job, instance) (used))", "min of figures that add up"),
        # patterns
        ('gauge{job="a|b"}', 'job="a|b" is taken literally'),
        ('gauge{job!=".*"}', 'job!=".*" is taken literally'),
        # units
        ("full_ratio > 80", "a ratio is compared with 80"),
        ("gauge / gauge > 80", "a ratio is compared with 80"),
        ("80 < full_ratio", "a ratio is compared with 80"),
        ("100 * full_ratio > 0.8", "percent are compared with 0.8"),
        ("100 * full_ratio >= 1", "percent are compared with 1"),
        ('gauge * on (instance) group_left () gauge{job=~"a"}', "differ in job only"),
        ('gauge{job="a"} and on (instance) (gauge * on (instance) gauge{job="b"})', "differ in"),
        ("age_seconds > gauge", "> between figures of different units"),
        ("age_seconds + gauge", "+ between figures of different units"),
        # what cannot be followed is not let through
        ("day_of_week(gauge)", "nothing is known here of day_of_week()"),
    ],
)
def test_what_is_wrong_is_found(expression: str, complaint: str) -> None:
    assert any(complaint in found for found in examined(expression, KNOWN)[1])


@pytest.mark.parametrize(
    ("expression", "labels", "seconds", "scale"),
    [
        ("gauge", "instance job", 0, ""),
        ("sum by (job) (gauge)", "job", 0, ""),
        ("sum without (job) (gauge)", "instance", 0, ""),
        ("sum(gauge)", "", 0, ""),
        ("topk(3, gauge)", "instance job", 0, ""),
        ("count by (job) (total)", "job", 0, ""),
        ('count_values by (job) ("value", gauge)', "job value", 0, ""),
        ("sum(full_ratio >= bool 1)", "", 0, ""),
        ("sum by (job) (max by (job) (age_seconds))", "job", 1, ""),
        ("max by (job) (sum by (job) (used))", "job", 0, ""),
        ("max by (job) (used / gauge)", "job", 0, "quotient"),
        ("max by (job) (changes(used[5m]))", "job", 0, ""),
        ('gauge{job=~"a|b", instance="a.b:1"}', "instance job", 0, ""),
        ("rate(total[5m])", "holder instance job", -1, ""),
        ("rate(seconds_total[5m])", "holder instance job", 0, "either"),
        ("increase(seconds_total[5m])", "holder instance job", 1, ""),
        ("rate(seconds_total[5m]) / rate(total[5m])", "holder instance job", 1, ""),
        ("histogram_quantile(0.9, rate(wait_bucket[5m]))", "instance job", 1, ""),
        ("gauge / gauge", "instance job", 0, "quotient"),
        ("gauge / 321", "instance job", 0, "either"),
        ("full_ratio * 100", "instance job", 0, "percent"),
        ("full_ratio * 100 > 80", "instance job", 0, "percent"),
        ("max_over_time(full_ratio[5m])", "instance job", 0, "share"),
        ("changes(gauge[5m])", "instance job", 0, ""),
        ("deriv(age_seconds[5m])", "instance job", 0, ""),
        ("-gauge", "instance job", 0, ""),
        ("time() - age_seconds", "instance job", 1, ""),
        ("timestamp(total)", "holder instance job", 1, ""),
        ("vector(0)", "", None, ""),
        ("scalar(age_seconds) * gauge", "instance job", 1, ""),
        ('absent(total{job="a"})', "job", 0, ""),
        ('absent_over_time(total{job="a"}[5m])', "job", 0, ""),
        ('absent(gauge{job="a"} > 1)', "", 0, ""),
        ('absent(present_over_time(gauge{job="a"}[5m]))', "", 0, ""),
        ("1 - full_ratio", "instance job", 0, "share"),
        ("full_ratio - full_ratio", "instance job", 0, "share"),
        ("full_ratio - gauge", "instance job", 0, ""),
        ("gauge / gauge > 2", "instance job", 0, "quotient"),
        ('gauge{job="a"} * 2 / on (instance) gauge{job="b"}', "instance", 0, "quotient"),
        ("gauge or on () vector(0)", "", 0, ""),
        ("gauge and on (job) sum by (job) (rate(total[5m]))", "instance job", 0, ""),
        ("gauge * on (job, instance) group_left (size) info", "instance job size", 0, ""),
        ("info * on (job, instance) group_right () gauge", "instance job", 0, ""),
        ("gauge / ignoring (holder) rate(total{holder='a'}[5m])", "instance job", 1, ""),
        ('gauge{job="a"} * on (instance) gauge{job="b"}', "instance", 0, ""),
        ('label_replace(gauge, "a", "$1", "job", "(.*)")', "a instance job", 0, ""),
        ("total unless max_over_time(total[15m] offset 5m)", "holder instance job", 0, ""),
    ],
)
def test_labels_and_units_are_followed(
    expression: str, labels: str, seconds: int | None, scale: str
) -> None:
    result, complaints = examined(expression, KNOWN)
    assert (complaints, sorted(result.labels)) == ([], labels.split())
    assert (result.seconds, result.scale) == (seconds, scale)


def test_every_selector_is_found_once() -> None:
    found = selectors("sum(rate(a[5m])) / b unless max_over_time(c[1h] offset 5m)")
    assert [selector.name for selector in found] == ["a", "b", "c"]


def test_what_is_no_promql_has_no_selectors() -> None:
    assert selectors("sum(") == []


@pytest.mark.parametrize(("expression", "alone"), [("a", True), ("a{b='c'}", True), ("-a", False)])
def test_a_selector_alone_is_told_from_others(expression: str, alone: bool) -> None:
    assert is_selector(expression) == alone


def test_the_series_are_those_of_the_contract() -> None:
    series = our_series()
    for metric in CONTRACT:
        name = series_name(metric)
        parts = ("_bucket", "_count", "_sum") if metric.kind is Kind.HISTOGRAM else ("",)
        for part in parts:
            found = series.pop(name + part)
            assert found.counter == (metric.kind is not Kind.GAUGE)
            worst = metric.kind is Kind.GAUGE and metric.across is not Across.SUM
            assert found.one_worst == worst
            assert not (found.one_worst and found.adds_up)
    assert series == {}


def all_rules() -> list[Any]:
    return [
        pytest.param(settings, rule, id=f"{name}-{number}-{rule.get('alert', rule.get('record'))}")
        for name, settings in VARIANTS.items()
        for number, rule in enumerate(
            rule for group in rule_groups(settings) for rule in group["rules"]
        )
    ]


@pytest.mark.parametrize(("settings", "rule"), all_rules())
def test_rules_ask_for_what_there_is(settings: Settings, rule: dict[str, Any]) -> None:
    _, complaints = examined(rule["expr"], prometheus_series(settings), settings.instance_label)
    assert complaints == []


@pytest.mark.parametrize(("settings", "rule"), all_rules())
def test_alerts_ask_for_what_there_is_when_they_are_sent(
    settings: Settings, rule: dict[str, Any]
) -> None:
    """Their texts have queries of their own, in which printf puts the alert's labels."""
    for text in rule.get("annotations", {}).values():
        for query in re.findall(r"printf `(.+?)`", text):
            asked = query.replace("%q", '"x"').replace("%%", "%")
            assert examined(asked, prometheus_series(settings), settings.instance_label)[1] == []


def test_some_alerts_ask_something_when_they_are_sent() -> None:
    assert "with printf `" in str(rule_groups(Settings()))


NEVER_THERE = "ConnectionPoolMetricsAbsent"
"""Where a pool has never been seen, nothing can be said of it."""


@pytest.mark.parametrize(("settings", "rule"), all_rules())
def test_alerts_speak_of_labels_that_they_have(settings: Settings, rule: dict[str, Any]) -> None:
    known = prometheus_series(settings)
    result, _ = examined(rule["expr"], known, settings.instance_label)
    said = set(re.findall(r"\$labels\.(\w+)", str(rule.get("annotations", {}))))
    if rule.get("alert") != NEVER_THERE:
        assert said <= result.labels
