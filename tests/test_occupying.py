"""Who held the connections that somebody queued for: by hand, and against a slow way to say it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool_observer.claim import IDLE, Claim
from pool_observer.model import Occupant, Outcome
from pool_observer.occupying import Group, occupants
from tests.support import named


def wait(asked_at: int, until: int, *, gave_up: bool = False) -> Claim:
    """Somebody who queued, and got a connection or did not."""
    claim = Claim(None, None, asked_at)
    if gave_up:
        claim.ended_at, claim.outcome = until, Outcome.TIMED_OUT
    else:
        claim.granted_at, claim.outcome = until, Outcome.ACQUIRED
    return claim


def hold(name: str, granted_at: int, ended_at: int | None = None) -> Claim:
    claim = Claim(named(name), None, granted_at)
    claim.granted_at, claim.outcome, claim.ended_at = granted_at, Outcome.ACQUIRED, ended_at
    claim.activity = (IDLE, granted_at, 0, 0)
    return claim


def group(claim: Claim) -> Group:
    assert claim.holder is not None
    return claim.holder.name(), None


def held_by(waiting: Claim, *holds: Claim, limit: int = 2) -> dict[str, int]:
    found = occupants([waiting], holds, limit, group)[waiting]
    return {occupant.holder: occupant.connections for occupant in found}


def test_who_gave_up_is_told_who_held_the_connections_then() -> None:
    chats = [hold("chat", 0), hold("chat", 5, 20), hold("chat", 5, 21)]
    late, gone = hold("late", 20, 30), hold("gone", 0, 19)
    assert held_by(wait(10, 20, gave_up=True), *chats, late, gone) == {"chat": 3}


def test_who_took_over_is_told_who_held_them_when_there_was_none_to_be_had() -> None:
    # The one that is given back ends a moment before it is handed on.
    holds = [hold("chat", 0), hold("report", 0, 18)]
    assert held_by(wait(10, 20), *holds) == {"chat": 1, "report": 1}
    assert held_by(wait(18, 20), *holds) == {"chat": 1, "report": 1}
    assert held_by(wait(19, 20), *holds) == {"chat": 1}  # that one was not waited for


def test_who_else_gives_back_until_it_gets_on_is_told_as_well() -> None:
    holds = [hold("chat", 0, 17), hold("chat", 0, 18), hold("report", 0, 19)]
    assert held_by(wait(10, 20), *holds, limit=3) == {"chat": 2, "report": 1}


def test_it_is_the_last_time_that_counts() -> None:
    holds = [hold("early", 0, 12), hold("chat", 0, 18), hold("late", 13)]
    assert held_by(wait(10, 20), *holds) == {"chat": 1, "late": 1}


def test_who_waited_is_not_among_them() -> None:
    waiting = wait(10, 20)
    waiting.holder = named("self")
    assert held_by(waiting, hold("chat", 0), waiting) == {"chat": 1}


def test_a_hold_of_no_length_is_nobodys_reason_to_wait() -> None:
    assert held_by(wait(0, 20, gave_up=True), hold("chat", 20, 20), hold("chat", 5, 5)) == {}


def test_those_with_most_connections_come_first() -> None:
    waiting = wait(10, 20, gave_up=True)
    holds = [hold("one", 0), hold("three", 0), hold("three", 1), hold("two", 2), hold("two", 3)]
    holds.append(hold("three", 4))
    (found,) = occupants([waiting], holds, 6, group).values()
    assert [str(occupant) for occupant in found] == ["3 x three", "2 x two", "1 x one"]
    assert found[0] == Occupant("three", None, 3)


INSTANTS = st.integers(0, 30)
HOLDS = st.lists(st.tuples(st.sampled_from("abc"), INSTANTS, st.none() | INSTANTS))


@given(waits=st.lists(st.tuples(INSTANTS, INSTANTS)), holds=HOLDS)
def test_it_is_what_looking_at_each_wait_would_say(
    waits: list[tuple[int, int]], holds: list[tuple[str, int, int | None]]
) -> None:
    gave_up = [wait(min(pair), max(pair), gave_up=True) for pair in waits]
    claims = [
        hold(name, begin, None if end is None else max(begin, end)) for name, begin, end in holds
    ]
    found = occupants(gave_up, claims, 3, group)
    for waiting in gave_up:
        instant = waiting.ended_at
        assert instant is not None
        there = [
            claim.holder.name()
            for claim in claims
            if claim.holder is not None
            and claim.granted_at is not None
            and claim.granted_at < instant
            and (claim.ended_at is None or claim.ended_at >= instant)
        ]
        assert {each.holder: each.connections for each in found[waiting]} == {
            name: there.count(name) for name in there
        }
