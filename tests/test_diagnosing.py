"""What is said to be wrong with a hold, and to mend it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pool_observer import Activity, BlockedLoop, Diagnosis, Doing, Ending, Phase, Standing, Trouble
from pool_observer.diagnosing import diagnose
from pool_observer.wording import LONGEST
from tests.holds import AT, SEND, hold_of, wait_of

AWAITING = Standing(Doing.AWAITING, AT, SEND, SEND)
RUNNING = Standing(Doing.RUNNING, AT, SEND, SEND)
FINISHED = Standing(Doing.FINISHED)


def the(diagnosis: Diagnosis | None) -> Diagnosis:
    assert diagnosis is not None
    return diagnosis


def test_idle_in_transaction() -> None:
    hold = hold_of(Activity.IN_TRANSACTION, executing=0.2, in_transaction=9.8)
    assert diagnose(hold, AWAITING) == Diagnosis(
        Trouble.IDLE_IN_TRANSACTION,
        "idle in transaction for 9.8 s",
        "commit or close the session before this await, which frees 98 % of this hold",
    )


def test_idle() -> None:
    hold = hold_of(Activity.IDLE, executing=1, idle=4)
    assert diagnose(hold, AWAITING) == Diagnosis(
        Trouble.IDLE,
        "idle for 4.0 s",
        "close the session before this await, which frees 80 % of this hold",
    )


def test_a_thread_calls_rather_than_awaits() -> None:
    hold = hold_of(Activity.IDLE, executing=1, idle=4)
    assert "before this call" in the(diagnose(hold, RUNNING)).mend
    assert "before what takes the time" in the(diagnose(hold, None)).mend


def test_what_was_done_in_short_steps_is_told_by_what_most_of_it_was() -> None:
    """It has just begun a statement, after 9 seconds of doing nothing in between."""
    hold = hold_of(Activity.EXECUTING, executing=1, in_transaction=9, lasting=0.01)
    assert diagnose(hold, AWAITING) == Diagnosis(
        Trouble.IDLE_IN_TRANSACTION,
        "idle in transaction for 9.0 s of 10.0 s, not at a stretch",
        "commit or close the session before what takes the time, which frees 90 % of this hold",
    )
    hold = hold_of(Activity.IDLE, executing=9, idle=1, lasting=0.5)
    assert the(diagnose(hold, AWAITING)).text == "idle for 0.5 s"
    hold = hold_of(Activity.IDLE, executing=9, idle=1, lasting=0.499)
    assert the(diagnose(hold, AWAITING)).text == "statements for 9.0 s of 10.0 s"


@pytest.mark.parametrize("phase", [Phase.BACKGROUND, Phase.DETACHED])
def test_after_the_response_a_session_of_its_own_is_wanted(phase: Phase) -> None:
    hold = hold_of(Activity.IDLE, executing=1, idle=4, phase=phase)
    assert the(diagnose(hold, AWAITING)).mend.startswith("after the response, open a session")


def test_one_long_statement() -> None:
    found = the(diagnose(hold_of(Activity.EXECUTING, executing=12.34), AWAITING))
    assert found.kind is Trouble.LONG_QUERY
    assert found.text == "one statement for 12.3 s"
    assert "(process 4711)" in found.mend
    without = the(diagnose(hold_of(Activity.EXECUTING, executing=1, backend_pid=None), AWAITING))
    assert "process" not in without.mend


@pytest.mark.parametrize(
    ("fastapi", "expected"),
    [
        (None, "before sending it"),
        ((0, 117), "before sending it"),
        ((0, 118), "from FastAPI 0.121 on"),
        ((0, 120), "from FastAPI 0.121 on"),
        ((0, 121), 'scope="function")` ends in time'),
        ((1, 0), 'scope="function")` ends in time'),
    ],
)
def test_streaming_is_mended_as_the_version_of_fastapi_allows(
    fastapi: tuple[int, ...] | None, expected: str
) -> None:
    hold = hold_of(
        Activity.IN_TRANSACTION,
        in_transaction=3,
        executing=1,
        phase=Phase.RESPONSE,
        handler_ns=1,
    )
    found = the(diagnose(hold, AWAITING, fastapi=fastapi))
    assert found.kind is Trouble.STREAMING
    assert "75 %" in found.text
    assert expected in found.mend
    assert ("from FastAPI" in found.mend) == ("from FastAPI" in expected)


def test_what_is_taken_by_the_response_itself_no_dependency_has() -> None:
    hold = hold_of(Activity.IDLE, idle=3, phase=Phase.RESPONSE)
    assert "Depends" not in the(diagnose(hold, AWAITING, fastapi=(0, 165))).mend


def test_whoever_executes_is_not_over() -> None:
    """The connection was handed on."""
    hold = hold_of(Activity.EXECUTING, executing=3, phase=Phase.DETACHED)
    assert the(diagnose(hold, FINISHED)).kind is Trouble.LONG_QUERY


def test_where_no_line_is_known_none_is_meant() -> None:
    hold = hold_of(Activity.IDLE, executing=1, idle=4)
    somewhere = Standing(Doing.RUNNING)
    assert "before what takes the time" in the(diagnose(hold, somewhere)).mend


def test_no_mend_is_cut() -> None:
    found = []
    for activity in Activity:
        for phase in (None, *Phase):
            for version in (None, (0, 118), (0, 121)):
                for standing in (AWAITING, RUNNING, FINISHED, None):
                    hold = hold_of(activity, idle=1, executing=1, in_transaction=1, phase=phase)
                    hold = replace(hold, handler_ns=1)
                    found.append(the(diagnose(hold, standing, fastapi=version)))
    found.append(the(diagnose(hold_of(), None, second=wait_of())))
    found.append(the(diagnose(hold_of(idle=1), None, blocked_loop=BlockedLoop(2, None))))
    assert max(len(f"      -> {each.mend}") for each in found) <= LONGEST


def test_a_long_statement_while_streaming_is_a_long_statement() -> None:
    hold = hold_of(Activity.EXECUTING, executing=3, phase=Phase.RESPONSE)
    assert the(diagnose(hold, AWAITING)).kind is Trouble.LONG_QUERY


def test_waiting_for_a_second_one_is_wrong_at_any_age() -> None:
    found = the(diagnose(hold_of(idle=0.001), AWAITING, second=wait_of(0.001)))
    assert found.kind is Trouble.SECOND_CONNECTION
    assert "at app/health.py:7 in health" in found.text
    nowhere = the(diagnose(hold_of(), AWAITING, second=wait_of(call_site=None)))
    assert nowhere.text == "waiting for a second connection with the first in its hands"


def test_whoever_took_it_is_over() -> None:
    assert the(diagnose(hold_of(idle=1), FINISHED)).text.startswith("the task or thread")
    after = the(diagnose(hold_of(idle=1, phase=Phase.DETACHED), FINISHED))
    assert (after.kind, after.text) == (
        Trouble.FINISHED,
        "its request is over, and the connection is still out",
    )


def test_lost() -> None:
    assert the(diagnose(hold_of(ending=Ending.LOST), None)).kind is Trouble.LOST


def test_a_blocked_loop_is_to_blame_for_what_has_lasted_as_long() -> None:
    blocked = BlockedLoop(4.2, Standing(Doing.RUNNING, AT))
    found = the(diagnose(hold_of(idle=5), AWAITING, blocked_loop=blocked))
    assert found.kind is Trouble.LOOP_BLOCKED
    assert found.text == "its event loop is blocked for 4.2 s by app/chat.py:41 in chat"
    itself = the(diagnose(hold_of(idle=5), RUNNING, blocked_loop=BlockedLoop(4.2, None)))
    assert itself.text == "blocking its event loop for 4.2 s"
    earlier = the(diagnose(hold_of(idle=9), AWAITING, blocked_loop=blocked))
    assert earlier.kind is Trouble.IDLE


def test_nothing_is_wrong_with_what_is_young() -> None:
    assert diagnose(hold_of(idle=0.499), FINISHED) is None
    assert diagnose(hold_of(idle=0.5), FINISHED) is not None
    assert diagnose(hold_of(idle=0.1, overdue=True), AWAITING) is not None
