"""Who holds the connections, as it is written in logs and tracebacks."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pool_observer import (
    Activity,
    BlockedLoop,
    Diagnosis,
    Doing,
    Explanation,
    Stage,
    Standing,
    Trouble,
)
from pool_observer.summary import MOST_GROUPS
from pool_observer.wording import LONGEST, in_words
from tests.holds import AT, SEND, held_of, hold_of, ns, wait_of


def explanation_of(*held: Any, **more: Any) -> Explanation:
    fields: dict[str, Any] = {
        "pool": "orders",
        "used": len(held),
        "max": 15,
        "unseen": 0,
        "waiting": 0,
        "holds": held,
        "waits": (),
    }
    return Explanation(**fields | more)


CULPRIT = held_of(
    hold_of(Activity.IN_TRANSACTION, executing=0.2, in_transaction=9.6),
    Standing(Doing.AWAITING, AT, SEND, SEND),
    Diagnosis(Trouble.IDLE_IN_TRANSACTION, "idle in transaction for 9.6 s", "commit before it"),
)


def test_holders_are_grouped_by_line_and_the_longest_hold_speaks_for_all() -> None:
    younger = held_of(hold_of(idle=4))
    other = held_of(hold_of(Activity.EXECUTING, executing=0.05, holder="GET /", call_site=AT))
    waits = (wait_of(2.0), wait_of(1.0))
    text = str(explanation_of(CULPRIT, younger, other, max=3, waiting=2, waits=waits))
    assert text.splitlines() == [
        'pool "orders": all 3 connections held, 2 callers wait, the first for 2.0 s',
        "  2 x POST /chat/{user}, the longest for 9.8 s, 1 in transaction, 1 idle, taken at "
        "app/db.py:12 in get_session",
        "      now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in AsyncClient.send",
        "      idle in transaction for 9.6 s",
        "      -> commit before it",
        "  1 x GET /, for 50 ms, executing, taken at app/chat.py:41 in chat",
        "      executing for 50 ms",
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"max": 1}, "the only connection held"),
        ({}, "1 of 15 connections held"),
        ({"max": None}, "1 connection held"),
        (
            {"waiting": 1, "waits": (wait_of(0.05),)},
            "1 of 15 connections held, 1 caller waits, the first for 50 ms",
        ),
    ],
)
def test_the_headline(more: dict[str, Any], expected: str) -> None:
    assert explanation_of(CULPRIT, **more).headline() == expected


def test_no_more_groups_than_fit() -> None:
    held = [held_of(hold_of(idle=9, holder=f"GET /{number}")) for number in range(200)]
    lines = str(explanation_of(*held, holds_left_out=50)).splitlines()
    assert len(lines) == 1 + 2 * MOST_GROUPS + 1
    assert lines[-1] == "  240 more connections held, none of them for longer"


def test_no_line_is_longer_than_a_bound_or_does_anything_to_a_terminal() -> None:
    hostile = held_of(hold_of(idle=9, holder="GET /\x1b[2J\r\n" + "x" * 5000))
    text = str(explanation_of(hostile))
    assert "\x1b" not in text
    assert "\r" not in text
    assert max(map(len, text.splitlines())) <= LONGEST


def test_where_all_is_short_the_pool_is_too_small() -> None:
    young = held_of(hold_of(idle=0.01))
    hint = "  nobody has held one for long: there are too few for so many at a time"
    full = explanation_of(young, max=1, waiting=1, waits=(wait_of(),))
    assert hint in str(full).splitlines()
    assert hint not in str(explanation_of(young)).splitlines()
    both = explanation_of(CULPRIT, young, max=2, waiting=1, waits=(wait_of(),))
    assert hint not in str(both).splitlines()


def test_the_database_that_does_not_answer_is_told_from_a_pool_that_is_full() -> None:
    opening = [
        wait_of(0, stage=Stage.CONNECT, connect_ns=ns(2)),
        wait_of(0, stage=Stage.PING, ping_ns=ns(1)),
    ]
    queueing = [wait_of(1.9), wait_of(1.8)]
    text = str(explanation_of(max=2, waiting=5, waits=(*opening, *queueing)))
    assert text.splitlines() == [
        'pool "orders": 0 of 2 connections held, 2 being opened or tested, 3 callers wait, the '
        "first for 1.9 s",
        "  2 connections being opened or tested, the longest for 2.0 s: the database, or the way "
        "to it, does not answer",
    ]
    quick = explanation_of(waiting=1, waits=(wait_of(0, stage=Stage.CONNECT, connect_ns=1),))
    assert str(quick) == 'pool "orders": 0 of 15 connections held, 1 being opened or tested'


def test_what_is_wrong_with_others_of_a_group_is_told_too() -> None:
    second = Diagnosis(Trouble.SECOND_CONNECTION, "waiting for a second", "pass it on")
    group = [CULPRIT, *[held_of(hold_of(idle=1), None, second)] * 2, held_of(hold_of(idle=0))]
    lines = str(explanation_of(*group)).splitlines()
    assert lines[-2:] == ["      2 of them: waiting for a second", "      -> pass it on"]


def test_a_blocked_loop_is_told_first() -> None:
    loop = BlockedLoop(4.2, Standing(Doing.RUNNING, AT))
    lines = str(explanation_of(CULPRIT, blocked_loops=(loop, BlockedLoop(1, None)))).splitlines()
    assert lines[1:3] == [
        "  an event loop has been blocked for 4.2 s: app/chat.py:41 in chat",
        "  an event loop has been blocked for 1.0 s",
    ]


def test_what_was_out_before_is_told() -> None:
    assert "3 connections held since before" in str(explanation_of(used=3, unseen=3))


def test_what_is_meant_to_last_is_told() -> None:
    export = held_of(hold_of(idle=60, limit_seconds=600.0, limit_reason="export"))
    assert "      meant to last up to 10 min: export" in str(explanation_of(export))
    listener = held_of(hold_of(idle=60, limit_seconds=math.inf, limit_reason="listens"))
    assert "      meant to last long: listens" in str(explanation_of(listener))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 ms"),
        (0.0504, "50 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (9.84, "9.8 s"),
        (119.9, "119.9 s"),
        (600, "10 min"),
    ],
)
def test_seconds_in_words(seconds: float, expected: str) -> None:
    assert in_words(seconds) == expected
