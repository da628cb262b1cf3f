"""What is to be said of some diagnoses besides, and of nothing else, on a real service."""

from __future__ import annotations

import json

from tests.forensics.cases import (
    BOOKING,
    CASES,
    ENDS_AFTER_THE_RESPONSE,
    NESTED,
    PAYING,
    STREAMING,
)
from tests.forensics.evidence import hold_of, warning_of
from tests.forensics.json_log import about
from tests.forensics.running import place
from tests.forensics.story import LOSING, SENTINEL, Story


def test_a_lost_connection_is_told_once_with_its_line(story: Story) -> None:
    file, line = place("taken: lose")
    for seen in (story.overdue, story.after):
        (warning,) = about(seen.log, "lost", LOSING)
        assert warning.level == "WARNING"
        first, says, mend = warning.text.splitlines()
        assert first.startswith(f'pool "orders": {LOSING} lost a connection after ')
        assert first.endswith(f"; taken at {file}:{line} in lose")
        assert says == "  dropped without being returned; the garbage collector took it"
        assert mend.startswith("  -> return it where it was taken")
        assert warning.extra["pool_observer.diagnosis"] == "lost"
        assert warning.extra["pool_observer.ending"] == "lost"
        assert warning.extra["code.line.number"] == line
        lost = seen.metrics.one("pool_observer_returns_total", holder=LOSING, how="lost")
        assert lost == 1
        (incident,) = [each for each in seen.pools["orders"]["incidents"] if each["kind"] == "lost"]
        assert incident["holder"] == LOSING
        assert incident["call_site"] == {"file": file, "line": line, "function": "lose"}
        assert seen.pools["orders"]["totals"]["lost"] == 1
    assert [each.incident for each in story.after.log if each.holder == LOSING] == ["lost"]


def test_who_streams_stands_in_the_server(story: Story) -> None:
    for case in STREAMING:
        innermost = hold_of(case, story.overdue)["standing"]["innermost"]
        assert innermost is not None


def test_a_dependency_that_ends_before_the_response_holds_nothing_meanwhile(story: Story) -> None:
    if not ENDS_AFTER_THE_RESPONSE:
        assert not about(story.after.log, "overdue", "GET /download")
    else:
        (warning,) = about(story.after.log, "overdue", "GET /download")
        assert 'Depends(get_session, scope="function")' in warning.extra["pool_observer.mend"]


def test_who_waits_for_a_second_connection_is_shown_as_waiting(story: Story) -> None:
    (wait,) = story.overdue.pools["ledger"]["waits"]
    file, line = place("second: nested")
    assert wait["holder"] == NESTED.holder
    assert (wait["call_site"]["file"], wait["call_site"]["line"]) == (file, line)
    assert wait["nested_in"]["line"] == place(NESTED.taken)[1]
    assert f"at {file}:{line} in nested," in hold_of(NESTED, story.overdue)["diagnosis"]["text"]


def test_the_mend_of_a_long_query_names_its_process(story: Story) -> None:
    for case in (PAYING, BOOKING):
        hold = hold_of(case, story.overdue)
        assert f"(process {hold['backend_pid']})" in hold["diagnosis"]["mend"]


def test_the_page_knows_no_overdue_hold_when_all_is_over(story: Story) -> None:
    holders = [h["holder"] for pool in story.after.pools.values() for h in pool["holds"]]
    assert holders == [SENTINEL]
    assert story.after.pools["orders"]["holds"][0]["overdue"] is True


def test_nothing_else_was_said(story: Story) -> None:
    expected = sorted([*(case.holder for case in CASES), SENTINEL])
    overdue = [each.holder or "" for each in story.after.log if each.incident == "overdue"]
    assert sorted(overdue) == expected
    kinds = {each.incident for each in story.after.log if each.logger == "pool_observer.incidents"}
    assert kinds == {"overdue", "returned", "lost"}
    for seen in (story.overdue, story.after):
        assert seen.metrics.total("pool_observer_internal_errors_total") == 0
        assert not json.dumps(seen.pools).count("UPDATE account")


def test_requests_are_answered_as_if_nobody_had_looked(story: Story) -> None:
    asked = {*(case.request for case in CASES if case not in STREAMING), LOSING}
    assert story.statuses == dict.fromkeys(asked, 200)


def test_no_warning_comes_before_the_limit(story: Story) -> None:
    late = {}
    for case in CASES:
        warning, hold = warning_of(case, story.overdue), hold_of(case, story.overdue)
        late[str(case)] = warning.extra["pool_observer.seconds"] - hold["limit_seconds"]
        assert late[str(case)] > 0
        crossed_at = hold["began_at"] + hold["limit_seconds"]
        print(f"{case}: warned {warning.created - crossed_at:.3f} s after the limit")
    print(f"found {max(late.values()):.3f} s after the limit at most")
