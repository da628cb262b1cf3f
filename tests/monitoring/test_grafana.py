from __future__ import annotations

from typing import Any

import pytest

from tests.monitoring.grafana import (
    ALL,
    All,
    Value,
    VariableQuery,
    annotation_queries,
    everything,
    expand,
    expand_text,
    legend_labels,
    panels,
    rate_interval,
    rows,
    targets,
    variable_queries,
)
from tests.monitoring.handmade import good
from tests.monitoring.interpolation import formats_in, variables_in


def expanded(text: str, value: Value) -> str:
    return expand(text, {"x": value}, interval=15, rate_interval=60, range_=3600)


@pytest.mark.parametrize("written", ["$x", "${x}", "[[x]]"])
def test_a_variable_is_expanded_however_it_is_written(written: str) -> None:
    assert expanded(f'm{{a=~"{written}"}}', "shop") == 'm{a=~"shop"}'


@pytest.mark.parametrize(
    ("value", "in_quotes"),
    [
        ("shop", "shop"),
        ("GET /orders/{id}", r"GET /orders/\\{id\\}"),
        ("a.b:8000", r"a\\.b:8000"),
        ("back\\slash", r"back\\\\slash"),
        (["one"], "one"),
        (["one", "t.wo"], r"(one|t\\.wo)"),
        (ALL, ".*"),
        (All(".+"), ".+"),
    ],
)
def test_a_value_matches_itself_between_quotes(value: Value, in_quotes: str) -> None:
    assert expanded('m{a=~"$x"}', value) == f'm{{a=~"{in_quotes}"}}'


@pytest.mark.parametrize(
    ("format_", "value", "text"),
    [
        ("regex", "a.b", r"a\.b"),
        ("regex", ["a.b", "c"], r"(a\.b|c)"),
        ("pipe", ["a", "b"], "a|b"),
        ("csv", ["a", "b"], "a,b"),
        ("raw", ["a", "b"], "a,b"),
        ("text", ["a", "b"], "a + b"),
        ("glob", ["a", "b"], "{a,b}"),
        ("json", ["a", "b"], '["a", "b"]'),
        ("percentencode", "GET /a&b", "GET%20%2Fa%26b"),
        ("queryparam", ["a", "b/c"], "var-x=a&var-x=b%2Fc"),
        ("queryparam", ALL, "var-x=%24__all"),
        ("percentencode", ALL, ".%2A"),
        ("text", ALL, "All"),
    ],
)
def test_a_variable_is_written_in_the_format_that_is_asked_for(
    format_: str, value: Value, text: str
) -> None:
    assert expanded(f"${{x:{format_}}}", value) == text


def test_grafanas_own_variables_are_durations() -> None:
    text = "[$__rate_interval] [$__interval:] [${__range}] $__range_s $__interval_ms"
    assert expanded(text, "") == "[60s] [15s:] [3600s] 3600 15000"


def test_a_fraction_of_a_second_is_written_in_milliseconds() -> None:
    own = expand("[$__rate_interval]", {}, interval=0.2, rate_interval=0.8, range_=1)
    assert own == "[800ms]"


@pytest.mark.parametrize(
    ("interval", "scrape_interval", "spans"), [(1, 15, 60), (15, 15, 60), (120, 15, 135)]
)
def test_a_rate_sees_four_scrapes_and_the_whole_step(
    interval: float, scrape_interval: float, spans: float
) -> None:
    assert rate_interval(interval, scrape_interval) == spans


def test_a_variable_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(LookupError, match="'y'"):
        expanded('m{a="$y"}', "shop")


def test_nothing_is_escaped_in_a_text() -> None:
    assert expand_text("of ${x}", {"x": "a.b"}) == "of a.b"
    assert expand_text("of $x", {"x": ["a.b", "c"]}) == "of {a.b,c}"


def test_the_variables_and_formats_of_a_text_are_found() -> None:
    text = "$job ${pool:queryparam} [[holder:csv]] ${__data.fields.Pool:percentencode}"
    assert variables_in(text) == {"job", "pool", "holder", "__data"}
    assert formats_in(text) == {"pool": "queryparam", "holder": "csv", "__data": "percentencode"}


def test_panels_in_collapsed_rows_are_found_and_rows_are_no_panels() -> None:
    assert [panel["id"] for panel in panels(good())] == [1, 3, 5]
    assert [row["id"] for row in rows(good())] == [2, 4]
    assert [target["refId"] for panel in panels(good()) for target in targets(panel)] == ["A"] * 3


def test_a_panel_that_asks_nothing_has_no_targets() -> None:
    assert targets({"type": "text"}) == []


@pytest.mark.parametrize(
    ("legend", "labels"),
    [
        ("{{holder}}", ["holder"]),
        ("{{ holder }}: {{phase}}", ["holder", "phase"]),
        ("used", []),
        ("__auto", []),
        (None, []),
    ],
)
def test_the_labels_of_a_legend_are_found(legend: str | None, labels: list[str]) -> None:
    assert legend_labels({"legendFormat": legend}) == labels


def test_grafanas_own_annotations_are_no_queries() -> None:
    dashboard = good()
    dashboard["annotations"]["list"].append({"name": "Annotations & Alerts", "builtIn": 1})
    assert [each["name"] for each in annotation_queries(dashboard)] == ["Alerts"]


def test_at_first_every_variable_but_the_data_source_is_at_all() -> None:
    assert everything(good()) == dict.fromkeys(("job", "instance", "pool", "holder"), ALL)


def test_the_queries_of_variables_are_found_in_their_order() -> None:
    queries = variable_queries(good())
    assert [query.name for query in queries] == ["job", "instance", "pool", "holder"]
    assert queries[1].query == 'label_values(pool_observer_info{job=~"$job"}, instance)'
    assert queries[1].label == "instance"
    assert queries[1].expression == 'pool_observer_info{job=~"$job"}'


def test_a_query_may_be_written_as_a_text() -> None:
    variable = {"name": "job", "type": "query", "query": "label_values(up, job)", "regex": "a.*"}
    (query,) = variable_queries({"templating": {"list": [variable]}})
    assert query == VariableQuery("job", "label_values(up, job)", "a.*")


@pytest.mark.parametrize(
    ("query", "path", "params"),
    [
        (
            'label_values(m{job=~"$job"}, instance)',
            "/api/v1/label/instance/values",
            {"start": "400", "end": "1000", "match[]": 'm{job=~"shop"}'},
        ),
        ("label_values(job)", "/api/v1/label/job/values", {"start": "400", "end": "1000"}),
        ("label_values({}, job)", "/api/v1/label/job/values", {"start": "400", "end": "1000"}),
        ("query_result(max(m))", "/api/v1/query", {"query": "max(m)", "time": "1000"}),
    ],
)
def test_a_variable_asks_prometheus_over_http(
    query: str, path: str, params: dict[str, str]
) -> None:
    request = VariableQuery("x", query).request({"job": "shop"}, range_=600, end=1000)
    assert (request.path, request.params) == (path, params)


def test_a_variable_with_a_query_of_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="another kind"):
        VariableQuery("x", "metrics(up)").request({}, range_=600, end=1000)


@pytest.mark.parametrize(
    ("query", "data", "choices"),
    [
        (VariableQuery("x", "label_values(job)"), ["a", "b"], ["a", "b"]),
        (VariableQuery("x", "label_values(job)", "/^b/"), ["a", "b"], ["b"]),
        (VariableQuery("x", "label_values(job)", "(.).*"), ["aa", "ab"], ["a"]),
        (
            VariableQuery("x", "query_result(up)", '/job="(.+?)"/'),
            {"result": [{"metric": {"__name__": "up", "job": "shop"}, "value": [1, "1"]}]},
            ["shop"],
        ),
        (
            VariableQuery("x", "query_result(up)"),
            {"result": [{"metric": {"__name__": "up", "job": "shop"}, "value": [1, "1"]}]},
            ['up{job="shop"} 1 1000'],
        ),
    ],
)
def test_an_answer_becomes_choices(query: VariableQuery, data: Any, choices: list[str]) -> None:
    assert query.choices(data) == choices
