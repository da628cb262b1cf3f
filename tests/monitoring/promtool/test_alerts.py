"""Every alert fires, stays silent and reads as its tests say, by promtool."""

from __future__ import annotations

import pytest

from tests.monitoring.promtool.cases import CASES
from tests.monitoring.promtool.running import RULES, TESTS, failures, promtool


def test_promtool_has_nothing_to_say_about_the_rules() -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_does_what_its_tests_say(alert: str) -> None:
    assert failures(TESTS / f"{alert}.yaml") == {alert: ""}
