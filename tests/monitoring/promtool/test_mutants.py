"""The tests of alerts can fail: they do, wherever a limit, an operator or a `for` is another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pool_observer.monitoring.rules import Rule, rule_groups
from pool_observer.monitoring.settings import Settings
from tests.monitoring.promtool.cases import CASES
from tests.monitoring.promtool.mutants import mutants, only
from tests.monitoring.promtool.running import failures, written
from tests.monitoring.promtool.scenario import Case, Kind

_FIRST = {Kind.FIRES, Kind.BELOW, Kind.EARLY}
"""What finds nearly all of them."""


@pytest.mark.parametrize("alert", CASES)
def test_every_mutant_of_an_alert_fails_its_tests(alert: str, tmp_path: Path) -> None:
    rules = only(rule_groups(Settings()), alert)
    wrong = dict(mutants(rules, alert))
    assert len(wrong) >= 2

    left = _survivors(_of(CASES[alert], _FIRST), wrong, tmp_path)
    others = _of(CASES[alert], set(Kind) - {Kind.STALE} - _FIRST)
    # What is particular to an alert finds most of the rest, so it comes first, one by one.
    for scenario in sorted(others.scenarios, key=lambda each: each.kind != Kind.BESIDE):
        if left:
            left = _survivors(replace(others, scenarios=(scenario,)), left, tmp_path)
    assert not left.keys(), "these change nothing that a test would see"


def test_what_is_not_mutated_passes(tmp_path: Path) -> None:
    case = CASES["ConnectionPoolNearlyFull"]
    right = {"as it is": only(rule_groups(Settings()), case.alert)}
    assert _survivors(_of(case, set(Kind) - {Kind.STALE}), right, tmp_path) == right


def _of(case: Case, kinds: set[Kind]) -> Case:
    return replace(case, scenarios=tuple(each for each in case.scenarios if each.kind in kinds))


def _survivors(case: Case, wrong: Mapping[str, list[Rule]], folder: Path) -> dict[str, list[Rule]]:
    """Those of the mutants that pass."""
    files = []
    for number, groups in enumerate(wrong.values()):
        rules = written(folder, f"rules {number}", {"groups": groups})
        files.append(written(folder, f"test {number}", case.document(rules.name)))
    said = failures(*files)
    return {
        what: groups
        for (what, groups), file in zip(wrong.items(), files, strict=True)
        if not said[file.stem]
    }
