"""Every query of the documentation can be asked, and every metric that it names is ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest

from pool_observer.contract import CONTRACT
from pool_observer.metric import Kind
from pool_observer.prometheus_names import label_names, series_name
from tests.examples import PAGES, Block, blocks, code_in_lines

QUERIES = [block for page in PAGES for block in blocks(page, "promql")]

SERIES = {
    series_name(metric) + suffix
    for metric in CONTRACT
    for suffix in (("", "_sum", "_count", "_bucket") if metric.kind is Kind.HISTOGRAM else ("",))
}
LABELS = {label for metric in CONTRACT for label in label_names(metric)}
OUR_OWN = re.compile(r"\b(?:pool_observer|db_client)_\w+")


def names(page: Path) -> Iterator[str]:
    for code in [*code_in_lines(page), *(block.code for block in blocks(page, "promql"))]:
        yield from OUR_OWN.findall(code)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_query_is_promql_with_our_labels(query: Block) -> None:
    promql.parse(query.code)
    by = re.findall(r"\bby \(([^)]*)\)", query.code)
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query.code)
    assert {label.strip() for each in by for label in each.split(",")} | set(matched) <= LABELS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_metric_that_is_named_is_ours(page: Path) -> None:
    unknown = {name for name in names(page) if name not in SERIES | LABELS}
    assert {each for each in unknown if not _stands_for_several(each)} == set()


def _stands_for_several(name: str) -> bool:
    """As `pool_observer_server_*` does."""
    return name.endswith("_") and any(series.startswith(name) for series in SERIES)


def test_there_are_queries_and_names() -> None:
    assert len(QUERIES) >= 6
    assert sum(len(list(names(page))) for page in PAGES) > 50
