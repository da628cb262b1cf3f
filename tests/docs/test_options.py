"""Tables of options: all that there are, and their defaults."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import pool_observer
from pool_observer import OpenTelemetry, observe
from tests.examples import DOCS, tables

IN_WORDS = {
    "name": "`host:port/database`",
    "url": "the engine's",
    "debug_auth": "this machine",
    "registry": "prometheus_client's",
    "tracer_provider": "the global ones",
    "meter_provider": "the global ones",
}
"""Defaults that are worked out, or are no figure."""


def defaults(called: Any) -> dict[str, object]:
    parameters = inspect.signature(called).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty}


def rows(page: Path, called: str) -> dict[str, str]:
    """The defaults that the table says, by option."""
    (table,) = [each for each in tables(page) if each[0][0] == f"option of `{called}`"]
    return {name: row[1] for row in table[1:] for name in re.findall(r"`(\w+)`", row[0])}


def sayings(name: str, default: object) -> set[str]:
    """How a default may be said."""
    if name in IN_WORDS:
        return {IN_WORDS[name]}
    if default is True:
        return {"yes"}
    if default in (None, False, ()):
        return {"no", "none", "nowhere", "off"}
    if isinstance(default, float):
        return {f"{default:g} s"}
    return {str(default), f"`{default}`"}


@pytest.mark.parametrize(
    ("page", "called", "function"),
    [
        ("configuration.md", "observe()", observe),
        ("opentelemetry.md", "OpenTelemetry", OpenTelemetry),
        ("server-probe.md", "ServerProbe", pool_observer.ServerProbe),
    ],
)
def test_a_table_has_every_option_with_its_default(page: str, called: str, function: Any) -> None:
    told, are = rows(DOCS / page, called), defaults(function)
    assert set(told) == set(are)
    for name, said in told.items():
        assert said in sayings(name, are[name]), name
