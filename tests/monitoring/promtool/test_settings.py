"""Rules that are written with a user's own settings work like those in the repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pool_observer.monitoring.settings import Settings
from pool_observer.thresholds import Thresholds
from tests.monitoring.promtool.cases_settings import CASES, NAMED, TOLD, TWO, TWO_BURN
from tests.monitoring.promtool.running import failures, promtool, written, written_rules

_LIMITS = Thresholds(
    slow_wait=0.75,
    queue_wait=5.0,
    slow_wait_quantile=0.99,
    leak_window=300.0,
    server_reserve_ratio=0.2,
    rate_window=120.0,
    high_for=0.0,
)
_EXACT = 'namespace=~"shop|orders", path!="C:\\\\100%",'


@pytest.mark.parametrize(
    "settings",
    [TOLD, NAMED, Settings(thresholds=_LIMITS), Settings(selector=_EXACT)],
    ids=["told", "other labels", "other limits", "a selector with all that is special"],
)
def test_promtool_has_nothing_to_say_about_rules_of_ones_own(
    settings: Settings, tmp_path: Path
) -> None:
    rules = written_rules(tmp_path, settings)
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", rules)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("which", CASES)
def test_rules_of_ones_own_fire_and_say_it_in_ones_own_words(which: str, tmp_path: Path) -> None:
    settings, cases = CASES[which]
    rules = written_rules(tmp_path, settings)
    tests = [written(tmp_path, case.alert, case.document(rules.name)) for case in cases]
    assert failures(*tests) == {case.alert: "" for case in cases}


def _of_two(settings: Sequence[Settings], folder: Path) -> str:
    rules = [written_rules(folder, each, f"rules {number}") for number, each in enumerate(settings)]
    test = written(folder, "test", TWO_BURN.document(*(file.name for file in rules)))
    return failures(test)["test"]


def test_two_sets_of_rules_in_one_prometheus_do_not_see_each_other(tmp_path: Path) -> None:
    assert not _of_two(TWO, tmp_path)


def test_two_sets_of_one_name_would(tmp_path: Path) -> None:
    assert _of_two([replace(each, name="pools") for each in TWO], tmp_path)
