"""Fields of JSON, of the log and of spans, and keys to press: what there is, is documented."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pool_observer import Finding, Severity
from pool_observer.audit.rendering import as_json
from tests.examples import DOCS, PAGES, ROOT, blocks, tables

PACKAGE = ROOT / "pool_observer"


def keys_of_dictionaries(*files: str) -> Iterator[str]:
    """As literals have them, and as they are set one by one."""
    for file in files:
        for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
            if isinstance(node, ast.Dict):
                found = node.keys
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                found = [node.slice]
            else:
                continue
            yield from (
                key.value
                for key in found
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )


def words(page: str, header: str) -> set[str]:
    """What the table names."""
    (table,) = [each for each in tables(DOCS / page) if each[0][0] == header]
    return {
        name for row in table[1:] for cell in row for name in re.findall(r"`([\w.\[\]]+)`", cell)
    }


def last(names: set[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in names}


def test_every_key_of_the_live_page_is_documented() -> None:
    keys = set(keys_of_dictionaries("page/document.py", "page/database.py", "page/process.py"))
    assert len(keys) > 80
    assert keys <= last(words("live-page.md", "key"))


@pytest.mark.parametrize(
    ("page", "header", "files"),
    [
        ("opentelemetry.md", "attribute", ("opentelemetry/spans.py",)),
        ("incidents.md", "field", ("recording.py", "incidents.py")),
    ],
)
def test_every_field_is_documented(page: str, header: str, files: tuple[str, ...]) -> None:
    fields = {key for key in keys_of_dictionaries(*files) if key.startswith("pool_observer.")}
    assert fields
    assert last(fields) <= last(words(page, header))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_json_and_yaml_can_be_read(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block.code)
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block.code)


def test_the_report_of_the_audit_has_the_keys_that_it_prints() -> None:
    (block,) = blocks(DOCS / "audit.md", "json")
    report = json.loads(block.code)
    shown = {*report, *report["counts"], *report["findings"][0]}
    printed = json.loads(as_json([Finding("pre-ping", Severity.INFO, "", "", "", "orders")], ["a"]))
    assert shown == {*printed, *printed["counts"], *printed["findings"][0]}


def test_the_keys_of_top_are_documented() -> None:
    (table,) = [each for each in tables(DOCS / "cli.md") if each[0][0] == "key"]
    pressed = re.findall(r'key == "(\w)"', (PACKAGE / "terminal" / "live.py").read_text())
    assert [row[0].strip("`") for row in table[1:]] == pressed
