"""What `docs/monitoring.md` and the README of the examples say can be done, and lead to."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from tests.monitoring.examples_files import EXAMPLES, ROOT, own_labels

PAGE = ROOT / "docs" / "monitoring.md"
README = EXAMPLES / "README.md"


def _commands(page: str) -> list[str]:
    """Of the shell; what they say in a variable is put in its place."""
    said = dict(re.findall(r"^(\w+)=\((.+?)\)$", page, re.MULTILINE | re.DOTALL))
    return [
        re.sub(r'"\$\{(\w+)\[@\]\}"', lambda variable: said[variable[1]], command)
        for command in re.findall(r"^pool-observer (.*)$", page, re.MULTILINE)
    ]


COMMANDS = _commands(PAGE.read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_as_it_is_written(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command)
    assert main(arguments) == 0
    if arguments[0] != "runbook":
        assert list((tmp_path / arguments[1]).iterdir())
        assert main([*arguments, "--check"]) == 0


def test_there_are_commands() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"dashboards", "rules", "runbook"}


@pytest.mark.parametrize("page", [PAGE, README], ids=lambda page: page.name)
def test_every_link_leads_to_something(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert links
    for link in links:
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"^\| `((?:dashboards|alerts)/[^`]+)`", PAGE.read_text(), re.MULTILINE)
    assert len(named) == 8
    named += [
        f"examples/monitoring/{name}"
        for name in re.findall(r"^\| `([^`]+)` \|", README.read_text(), re.MULTILINE)
    ]
    for name in named:
        assert (ROOT / name).exists(), name


def test_every_alert_that_is_named_exists() -> None:
    named = set(re.findall(r"`(ConnectionPool\w+)`", PAGE.read_text()))
    assert named
    assert named <= {alert["alertname"] for alert in own_labels()}
