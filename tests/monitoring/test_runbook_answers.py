"""What runbooks tell people to ask and to type: it exists, and is understood."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import psycopg
import pytest

from pool_observer.__main__ import main
from pool_observer.monitoring.dashboards import DASHBOARDS
from pool_observer.monitoring.runbooks import runbooks
from pool_observer.monitoring.settings import Settings
from tests.monitoring.expressions import examined
from tests.monitoring.prometheus_series import prometheus_series
from tests.monitoring.runbook_parts import (
    NAMES,
    SECTIONS,
    Block,
    blocks,
    inline,
    raw,
)
from tests.postgres import Postgres

REPOSITORY = Path(__file__).parents[2]
PAGE = runbooks(Settings())
PANELS = {
    each.title: {panel.title for row in each.rows for panel in row.panels} for each in DASHBOARDS
}


# Queries, panels and commands


@pytest.mark.parametrize("block", blocks("promql"), ids=lambda block: block.alert)
def test_a_query_asks_for_what_is_exported(block: Block) -> None:
    promql.parse(block.code)
    result, complaints = examined(block.code, prometheus_series(Settings()))
    assert complaints == []
    assert not result.scalar


TEXTS = {"introduction": PAGE.partition("\n| alert |")[0], **{name: raw(name) for name in NAMES}}
ON_A_DASHBOARD = re.compile(r"(?<!\*)\*(Pools: [^*]+)\*(?!\*)")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_panel_stands_on_the_dashboard_that_is_named_with_it(text: str) -> None:
    text = " ".join(text.split())
    panels = list(re.finditer(r"\*\*(.+?)\*\*", text))
    assert panels
    for panel in panels:
        before = ON_A_DASHBOARD.findall(text[: panel.start()])[-1:]
        after = ON_A_DASHBOARD.findall(text[panel.end() :])[:1]
        assert any(panel[1] in PANELS[dashboard] for dashboard in before + after), panel[1]
    assert set(ON_A_DASHBOARD.findall(text)) <= PANELS.keys()


class _Understood(Exception):  # noqa: N818  # nothing is wrong
    """A command's line has been parsed."""


def commands() -> Iterator[str]:
    for text in PAGE.split("\n## "):
        yield from (each for each in inline(text) if each.startswith("pool-observer "))
    for block in blocks("sh"):
        yield from (line for line in block.code.splitlines() if line.startswith("pool-observer "))


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_the_command_line_accepts_every_command(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = argparse.ArgumentParser.parse_args

    def parse_only(*arguments: Any, **options: Any) -> None:
        parse(*arguments, **options)
        raise _Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    with pytest.raises(_Understood):
        main(shlex.split(command)[1:])


def statements() -> Iterator[str]:
    for block in blocks("sql"):
        yield from (each.strip() for each in block.code.split(";") if each.strip())
    for text in SECTIONS.values():
        yield from (each.rstrip(";") for each in inline(text) if re.match("(SELECT|SET) ", each))


@pytest.mark.parametrize("statement", sorted(set(statements())))
def test_postgresql_understands_every_statement(statement: str, postgres: Postgres) -> None:
    url = postgres.url("psycopg").set(drivername="postgresql")
    # Which may be somebody's session, here too.
    ends_sessions = re.match(r"SELECT pg_(terminate|cancel)_backend", statement)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute(f"EXPLAIN {statement}".encode() if ends_sessions else statement.encode())
        connection.rollback()


OF_OTHERS = {
    "garbage collector is trying to clean up",
    "connection (was|is) closed|closed the connection",
}
"""What SQLAlchemy and drivers log."""


def patterns() -> Iterator[str]:
    for name in NAMES:
        yield from re.findall(r"grep (?:-\w+ (?:\d+ )?)*'([^']+)'", raw(name))


@pytest.mark.parametrize("pattern", sorted(set(patterns()) - OF_OTHERS))
def test_what_is_to_be_looked_for_in_the_log_is_written_there(pattern: str) -> None:
    """By the code as it stands, or where that puts it together, by what a test has found."""
    sources = [*REPOSITORY.glob("pool_observer/**/*.py"), *REPOSITORY.glob("tests/**/*.py")]
    assert any(
        pattern in each.read_text(encoding="utf-8") for each in sources if each != Path(__file__)
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_key_that_is_asked_of_the_live_page_is_in_its_reference(name: str) -> None:
    reference = (REPOSITORY / "docs" / "live-page.md").read_text(encoding="utf-8")
    keys = set(re.findall(r"\w+", " ".join(inline(reference))))
    for program in re.findall(r"jq '([^']+)'", raw(name)):
        words = set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", program)))
        assert words - {"select"} <= keys


# Code


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.alert)
def test_code_compiles(block: Block) -> None:
    compile(block.code, f"{block.alert}.md", "exec", dont_inherit=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_mend_has_code_before_and_after(name: str) -> None:
    comments = [
        block.code.split()[1].strip(":") for block in blocks("python") if block.alert == name
    ]
    assert comments[:2] == ["before", "after"]
