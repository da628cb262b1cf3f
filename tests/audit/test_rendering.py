"""What findings look like to people, programs and GitHub."""

from __future__ import annotations

import json

from pool_observer.audit.finding import Finding, Severity
from pool_observer.audit.rendering import WIDTH, as_github, as_json, as_text

ERROR = Finding(
    "capacity",
    Severity.ERROR,
    "up to 120 connections, and 72 to be had: too many",
    "A quarter (25%) is kept for others. " * 5,
    "create_engine(..., pool_size=3, max_overflow=3)",
    "db/orders",
)
INFO = Finding("overflow", Severity.INFO, "much", "50%\r\nof it", "less", "other/stock")


def test_text_fits_a_terminal_and_says_what_to_write() -> None:
    text = as_text([ERROR, INFO], ["db/orders", "other/stock", "third"])
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.startswith(
        'pool "db/orders": 1 error\n\n'
        "error: up to 120 connections, and 72 to be had: too many  [capacity]\n"
        "    A quarter (25%) is kept for others. "
    )
    assert "\n    -> create_engine(..., pool_size=3, max_overflow=3)\n" in text
    assert "\n    docs/audit.md#capacity\n" in text
    assert 'pool "other/stock": 1 remark\n' in text
    assert text.endswith('pool "third": nothing to mend\n')


def test_options_are_not_broken_where_they_are_to_be_copied() -> None:
    long = Finding("a-code", Severity.INFO, "title", "why", f"{'x' * 70} idle-in-transaction", "p")
    assert "idle-in-transaction" in as_text([long], ["p"])


def test_text_keeps_a_terminal_out_of_trouble() -> None:
    nasty = Finding("a-code", Severity.INFO, "title", "GET /\x1b[2J", "mend", "p\x1b")
    assert "\x1b" not in as_text([nasty], ["p\x1b"])


def test_json_has_every_field() -> None:
    document = json.loads(as_json([ERROR, INFO], ["db/orders", "other/stock"]))
    assert document["version"] == 1
    assert document["pools"] == ["db/orders", "other/stock"]
    assert document["counts"] == {"error": 1, "warning": 0, "info": 1}
    assert document["findings"][0] == {
        "pool": "db/orders",
        "severity": "error",
        "code": "capacity",
        "title": ERROR.title,
        "why": ERROR.why,
        "mend": ERROR.mend,
        "link": "docs/audit.md#capacity",
    }


def test_without_findings_json_is_whole() -> None:
    assert json.loads(as_json([], ["p"]))["findings"] == []


def test_an_annotation_is_one_line_that_github_reads_back() -> None:
    assert as_github([INFO], ["other/stock"]) == (
        "::notice title=much [overflow]::50%25%0D%0Aof it%0A-> less%0Adocs/audit.md#overflow\n"
    )


def test_the_title_of_an_annotation_is_escaped_further() -> None:
    (line,) = as_github([ERROR], ["db/orders", "other/stock"]).splitlines()
    assert line.startswith(
        "::error title=db/orders%3A up to 120 connections%2C and 72 to be had%3A too many "
        "[capacity]::A quarter (25%25) is kept"
    )


def test_no_finding_is_no_annotation() -> None:
    assert as_github([], ["p"]) == ""
