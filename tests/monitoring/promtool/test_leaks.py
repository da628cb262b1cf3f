"""Harmless holds are silent because of what else the rule asks for, and not for want of noise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pool_observer.monitoring.rules import rule_groups
from pool_observer.monitoring.settings import Settings
from tests.monitoring.promtool.cases_simulated import HARMLESS
from tests.monitoring.promtool.mutants import only
from tests.monitoring.promtool.running import failures, written
from tests.monitoring.promtool.scenario import Case, Scenario

ALERT = "ConnectionPoolLeak"


@pytest.mark.parametrize("harmless", HARMLESS, ids=lambda scenario: str(scenario.says))
def test_the_estimate_alone_would_cry(harmless: Scenario, tmp_path: Path) -> None:
    groups = only(rule_groups(Settings()), ALERT)
    (rule,) = (rule for rule in groups[0]["rules"] if rule.get("alert") == ALERT)
    rule["expr"], removed = re.subn(r"\nand on.*> 0(?=\))", "", rule["expr"], flags=re.DOTALL)
    assert removed == 1
    rules = written(tmp_path, "rules", {"groups": groups})
    test = written(tmp_path, "test", Case(ALERT, (harmless,)).document(rules.name))
    assert "got:[\n" in failures(test)["test"]
