"""Each diagnosis from a real endpoint on PostgreSQL: in the log, in the metrics and in the JSON."""

from __future__ import annotations

import pytest

from tests.forensics.cases import CASES, Case
from tests.forensics.evidence import at, hold_of, taken_at, warning_of
from tests.forensics.json_log import about
from tests.forensics.running import place
from tests.forensics.story import Story

each_case = pytest.mark.parametrize("case", CASES, ids=str)


@each_case
def test_the_log_warns_once_and_says_all_in_words(story: Story, case: Case) -> None:
    for seen in (story.overdue, story.after):
        warning = warning_of(case, seen)
        assert (warning.level, warning.logger) == ("WARNING", "pool_observer.incidents")
        first, *details = warning.text.splitlines()
        assert first.startswith(f'pool "{case.pool}": {case.holder} has held a connection for ')
        assert first.endswith(f"longer than 1.0 s; taken at {taken_at(case)}")
        if case.stands is not None:
            file, line = place(case.stands)
            now = details.pop(0)
            assert now.startswith(f"  now {file}:{line} in ")
            verb = ", in " if case.doing == "running" else ", awaiting "
            assert f"{verb}{case.inside}:" in now
        says, mend = details
        assert says.startswith(f"  {case.says}")
        assert mend.startswith(f"  -> {case.mend}")


@each_case
def test_the_log_has_the_same_in_fields(story: Story, case: Case) -> None:
    warning, hold = warning_of(case, story.overdue), hold_of(case, story.overdue)
    fields = warning.extra
    file, line = place(case.taken)
    assert fields["db.client.connection.pool.name"] == case.pool
    assert fields["pool_observer.incident"] == "overdue"
    assert fields["pool_observer.holder"] == case.holder
    assert (fields["code.file.path"], fields["code.line.number"]) == (file, line)
    assert fields["code.function.name"] == case.function
    assert fields["pool_observer.limit_seconds"] == 1.0
    assert fields["pool_observer.seconds"] > 1.0
    assert fields["pool_observer.phase"] == case.phase
    assert fields["pool_observer.doing"] == case.doing
    assert fields["pool_observer.backend_pid"] == hold["backend_pid"]
    assert fields["pool_observer.diagnosis"] == case.kind
    assert fields["pool_observer.diagnosis_text"] in warning.text
    assert fields["pool_observer.mend"] in warning.text
    if case.stands is not None:
        assert fields["pool_observer.standing"] in warning.text
    spent = [fields[f"pool_observer.{each}_seconds"] for each in ACTIVITIES]
    assert sum(spent) == pytest.approx(fields["pool_observer.seconds"])


ACTIVITIES = ("executing", "in_transaction", "idle")


@each_case
def test_the_json_says_who_since_when_where_and_why(story: Story, case: Case) -> None:
    hold = hold_of(case, story.overdue)
    file, line = place(case.taken)
    assert hold["call_site"] == {"file": file, "line": line, "function": case.function}
    assert hold["overdue"] is True
    assert hold["seconds"] > hold["limit_seconds"] == 1.0
    assert hold["phase"] == case.phase
    assert hold["standing"]["doing"] == case.doing
    assert at(hold) == (None if case.stands is None else place(case.stands))
    if case.inside is not None:
        assert hold["standing"]["calling"]["file"].endswith(case.inside)
    assert hold["diagnosis"]["kind"] == case.kind
    assert hold["diagnosis"]["text"].startswith(case.says)
    assert hold["diagnosis"]["mend"].startswith(case.mend)


@each_case
def test_the_process_is_the_one_that_postgresql_sees_so(story: Story, case: Case) -> None:
    hold = hold_of(case, story.overdue)
    assert story.overdue.states[hold["backend_pid"]] == case.state


def test_no_two_holds_have_the_same_process(story: Story) -> None:
    holds = [hold for pool in story.overdue.pools.values() for hold in pool["holds"]]
    assert len(holds) == len(CASES)
    assert len({hold["backend_pid"] for hold in holds}) == len(holds)


@each_case
def test_metrics_count_it_while_it_lasts_and_afterwards(story: Story, case: Case) -> None:
    number = sum(other.holder == case.holder for other in CASES)
    for seen, now in ((story.overdue, number), (story.after, 0)):
        metrics = seen.metrics
        assert metrics.one("pool_observer_overdue_connections", holder=case.holder) == now
        assert metrics.one("pool_observer_overdue_total", holder=case.holder) == number


@each_case
def test_the_return_is_told_once(story: Story, case: Case) -> None:
    holds = sum(other.holder == case.holder for other in CASES)
    assert about(story.overdue.log, "returned", case.holder) == []
    returns = about(story.after.log, "returned", case.holder)
    assert len(returns) == holds
    for each in returns:
        assert each.level == "INFO"
        seconds = each.extra["pool_observer.seconds"]
        assert each.text == (
            f'pool "{case.pool}": {case.holder} was overdue, returned after {seconds:.1f} s; '
            f"taken at {taken_at(case)}"
        )
        assert each.extra["pool_observer.ending"] == "checkin"
        assert each.extra["code.line.number"] == place(case.taken)[1]
    assert len(about(story.after.log, "overdue", case.holder)) == holds


@each_case
def test_the_incidents_in_the_json_are_those_of_the_log(story: Story, case: Case) -> None:
    incidents = [
        each
        for each in story.after.pools[case.pool]["incidents"]
        if each["holder"] == case.holder and each["kind"] in ("overdue", "returned")
    ]
    logged = [each for each in story.after.log if each.holder == case.holder]
    texts = [f'pool "{case.pool}": {each["text"]}' for each in reversed(incidents)]
    assert texts == [each.text for each in logged]
    assert {each["call_site"]["line"] for each in incidents} == {place(case.taken)[1]}
