"""`alerts/tests` is what the cases say, and leaves nothing out."""

from __future__ import annotations

import re

import pytest

from pool_observer.monitoring.alerts import ALERTS as SPECIFIED
from tests.monitoring.promtool.cases import CASES, files
from tests.monitoring.promtool.running import TESTS
from tests.monitoring.promtool.scenario import ALWAYS, Case, Kind


def test_the_committed_tests_are_those_that_the_cases_write() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in TESTS.iterdir()}
    assert committed == files(), "write them with `python -m tests.monitoring.promtool`"


def test_every_alert_has_its_tests_and_no_other() -> None:
    assert CASES.keys() == {alert.name for alert in SPECIFIED}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_alert_is_tried_with_all_that_alerts_are_tried_with(case: Case) -> None:
    assert {scenario.kind for scenario in case.scenarios} >= ALWAYS


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_particular_to_a_scenario_is_said_once(case: Case) -> None:
    names = [group["name"] for group in case.document()["tests"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_alert_is_seen_to_fire_and_to_be_silent(case: Case) -> None:
    by_kind = {
        kind: [
            bool(moment.pages)
            for scenario in case.scenarios
            for moment in scenario.moments
            if scenario.kind == kind and not moment.alert
        ]
        for kind in ALWAYS
    }
    assert all(by_kind.values())
    assert set(by_kind[Kind.FIRES]) == set(by_kind[Kind.RECOVERS]) == {True, False}
    assert not any(by_kind[Kind.BELOW])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nobody_is_told_of_what_is_no_number(case: Case) -> None:
    for page in (
        page for scenario in case.scenarios for moment in scenario.moments for page in moment.pages
    ):
        assert not re.search(r"NaN|Inf\b|<no value>", f"{page.summary} {page.description}")
