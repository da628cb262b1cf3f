"""Findings for people at a terminal, for programs, and for GitHub's annotations."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from pool_observer.audit.finding import Finding, Severity
from pool_observer.wording import one_line

WIDTH = 80
SCHEMA_VERSION = 1

_COMMANDS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}
"""What GitHub calls them."""


def as_text(findings: Sequence[Finding], pools: Sequence[str]) -> str:
    """For a terminal of 80 columns; nothing depends on colour."""
    parts = []
    for pool in pools:
        of_pool = [finding for finding in findings if finding.pool == pool]
        parts.append(f'pool "{one_line(pool)}": {summary(of_pool)}')
        parts.extend(_block(finding) for finding in of_pool)
    return "\n\n".join(parts) + "\n"


def as_json(findings: Sequence[Finding], pools: Sequence[str]) -> str:
    """For programs. What is there stays; a new version may add to it."""
    document = {
        "version": SCHEMA_VERSION,
        "pools": list(pools),
        "counts": {severity.value: _count(findings, severity) for severity in Severity},
        "findings": [
            {
                "pool": finding.pool,
                "severity": finding.severity.value,
                "code": finding.code,
                "title": finding.title,
                "why": finding.why,
                "mend": finding.mend,
                "link": finding.link,
            }
            for finding in findings
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def as_github(findings: Sequence[Finding], pools: Sequence[str]) -> str:
    """A workflow command for each: GitHub shows them with the run."""
    several = len(pools) > 1
    return "".join(
        f"::{_COMMANDS[finding.severity]} title={_property(_title(finding, several))}::"
        f"{_data(f'{finding.why}{chr(10)}-> {finding.mend}{chr(10)}{finding.link}')}\n"
        for finding in findings
    )


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of each severity."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "remark"}
    counts = [
        f"{number} {word}" if number == 1 else f"{number} {word}s"
        for severity, word in words.items()
        if (number := _count(findings, severity))
    ]
    return ", ".join(counts) or "nothing to mend"


def _block(finding: Finding) -> str:
    return "\n".join(
        [
            _wrapped(f"{finding.severity}: {finding.title}  [{finding.code}]", "", "    "),
            _wrapped(finding.why, "    ", "    "),
            _wrapped(f"-> {finding.mend}", "    ", "       "),
            f"    {finding.link}",
        ]
    )


def _wrapped(text: str, first: str, rest: str) -> str:
    # What is to be copied is not broken at its hyphens, nor is a name that is too long.
    return textwrap.fill(
        "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _title(finding: Finding, several: bool) -> str:
    where = f"{finding.pool}: " if several else ""
    return f"{where}{finding.title} [{finding.code}]"


def _count(findings: Sequence[Finding], severity: Severity) -> int:
    return sum(finding.severity is severity for finding in findings)


def _data(text: str) -> str:
    """As GitHub has it: percent first, or it would be escaped twice."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
