"""What `docs/monitoring.md` and the README of the examples say can be done, and name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pool_observer.__main__ import main
from tests.examples import commands
from tests.monitoring.examples_files import EXAMPLES, ROOT, own_labels

PAGE = ROOT / "docs" / "monitoring.md"
README = EXAMPLES / "README.md"


COMMANDS = [each for each in commands(PAGE, "pool-observer") if len(each) > 1]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_does_as_it_is_written(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    if arguments[0] != "runbook":
        assert list((tmp_path / arguments[1]).iterdir())
        assert main([*arguments, "--check"]) == 0


def test_there_are_commands() -> None:
    assert {arguments[0] for arguments in COMMANDS} == {"dashboards", "rules", "runbook"}


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
