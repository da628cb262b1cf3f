"""Tables that list what there is of a kind have all of it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from pool_observer import Activity, IncidentKind, Phase, Trouble
from pool_observer.commands import parsing
from tests.docs.test_commands import PARSERS
from tests.examples import DOCS, PAGES, README, ROOT, prose, tables

STATUSES = {str(each) for each in (parsing.DONE, parsing.FOUND, parsing.FAILED)}


@pytest.mark.parametrize(
    ("page", "header", "expected"),
    [
        ("attribution.md", "phase", Phase),
        ("configuration.md", "activity", Activity),
        ("incidents.md", "diagnosis", Trouble),
        ("cli.md", "status", {*STATUSES, str(parsing.INTERRUPTED)}),
        ("audit.md", "exit status", {*STATUSES, str(parsing.INTERRUPTED)}),
        ("advice.md", "exit status", {*STATUSES, str(parsing.INTERRUPTED)}),
        ("monitoring.md", "exit status", STATUSES),
        ("cli.md", "command", {f"pool-observer {command}" for command in PARSERS}),
    ],
)
def test_a_table_has_all_of_a_kind(page: str, header: str, expected: Iterable[str]) -> None:
    (table,) = [each for each in tables(DOCS / page) if each[0][0] == header]
    first = [re.sub(r" (?:[A-Z]+|app\.db:engine)$", "", row[0].strip("`")) for row in table[1:]]
    assert sorted(first) == sorted(expected)


def test_the_log_says_all_kinds_of_incidents() -> None:
    (table,) = [each for each in tables(DOCS / "incidents.md") if each[0][0] == "field"]
    assert set(re.findall(r"`(\w+)`", table[1][1])) == set(IncidentKind)


def test_versions_are_those_of_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    for written, said in (
        (r'requires-python = ">=([\d.]+)"', r"Python ([\d.]+\d) (?:and|or) newer"),
        (r'"fastapi>=([\d.]+)"', r"FastAPI ([\d.]+\d) or newer"),
        (r'"sqlalchemy>=([\d.]+)"', r"SQLAlchemy ([\d.]+\d) and 2\.1"),
        (r'"opentelemetry-api>=([\d.]+)"', r"OpenTelemetry's API and SDK from ([\d.]+\d) on"),
    ):
        versions = {each for page in PAGES for each in re.findall(said, prose(page))}
        assert versions == set(re.findall(written, project)[:1]), said


def test_the_index_has_every_page() -> None:
    index = (DOCS / "README.md").read_text()
    pages = [page.name for page in DOCS.glob("*.md") if page.name != "README.md"]
    assert sorted(re.findall(r"^\| \[.+\]\((.+\.md)\)", index, re.MULTILINE)) == sorted(pages)


def test_the_costs_in_the_readme_are_those_of_their_page() -> None:
    measured = re.findall(r"x\d\.\d\d", (DOCS / "performance.md").read_text())
    said = re.findall(r"x\d\.\d\d", README.read_text())
    assert said
    assert set(said) <= set(measured)
