"""Runs promtool, on rules and tests that are written for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.settings import Settings
from pool_observer.monitoring.yaml import yaml
from tests.conftest import require

ALERTS = Path(__file__).parents[3] / "alerts"
TESTS = ALERTS / "tests"
RULES = ALERTS / "pool_observer.rules.yaml"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    binary = shutil.which("promtool")
    require(binary is not None, "promtool (Debian: prometheus)")
    return subprocess.run(
        [str(binary), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def written(folder: Path, name: str, document: Mapping[str, Any]) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml(document))
    return file


def written_rules(folder: Path, settings: Settings, name: str = "rules") -> Path:
    return written(folder, name, {"groups": rule_groups(settings)})


def failures(*files: Path) -> dict[str, str]:
    """What promtool has against each of the files; nothing, if its tests pass."""
    ran = promtool("test", "rules", *files)
    said = re.split(r"^Unit Testing: +(.*)$", ran.stdout, flags=re.MULTILINE)
    found = {
        Path(name).stem: what.strip() for name, what in zip(said[1::2], said[2::2], strict=True)
    }
    assert found.keys() == {file.stem for file in files}, said
    return {name: "" if what == "SUCCESS" else what for name, what in found.items()}
