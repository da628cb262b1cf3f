from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pool_observer.claim import IDLE, IN_TRANSACTION, Claim
from pool_observer.model import Stage


def holding(at: int) -> Claim:
    claim = Claim(None, None, asked_at=0)
    claim.granted_at = at
    claim.activity = (IDLE, at, 0, 0)
    return claim


@given(
    st.lists(st.tuples(st.sampled_from(["execute", "commit", "twophase"]), st.integers(0, 10**15)))
)
def test_activities_add_up_to_the_hold_whatever_happens(steps: list[tuple[str, int]]) -> None:
    now = 5
    claim = holding(now)
    executing = in_transaction = idle = 0
    for step, pause in steps:
        if claim.activity[0] is IN_TRANSACTION:
            in_transaction += pause
        else:
            idle += pause
        now += pause
        before = claim.executing_from(now)
        if step == "twophase":  # an operation made of statements is executing throughout
            inner = claim.executing_from(now + 1)
            claim.executed(inner, now + 2, IDLE)
        now += 3
        claim.executed(before, now, IN_TRANSACTION if step == "execute" else IDLE)
        executing += 3
        assert claim.split(now) == (executing, in_transaction, idle)
        assert sum(claim.split(now)) == now - 5


def test_an_ended_hold_does_not_grow() -> None:
    claim = holding(0)
    claim.ended_at = 10
    assert claim.split(1_000) == (0, 0, 10)
    claim.executed(claim.executing_from(20), 30, IN_TRANSACTION)
    assert claim.split(1_000) == (0, 0, 10)


def test_a_statement_that_outlives_the_hold_counts_up_to_its_end() -> None:
    claim = holding(0)
    before = claim.executing_from(4)
    claim.ended_at = 10
    claim.executed(before, 30, IN_TRANSACTION)
    assert claim.split(1_000) == (6, 0, 4)


def test_a_reader_with_an_old_clock_sees_no_negative_time() -> None:
    claim = holding(0)
    claim.executed(claim.executing_from(50), 60, IN_TRANSACTION)
    assert claim.split(40) == (10, 0, 50)


def test_a_wait_in_the_queue_is_all_queue() -> None:
    claim = Claim(None, None, asked_at=100)
    assert claim.stage is Stage.QUEUE
    assert claim.wait_split(150) == (50, 0, 0)
    claim.granted_at = 160
    assert claim.wait_split(999) == (60, 0, 0)


def test_a_wait_that_connects_after_a_failed_ping_has_three_parts() -> None:
    claim = Claim(None, None, asked_at=100)
    claim.pinging_at = 110
    assert (claim.stage, claim.wait_split(130)) == (Stage.PING, (10, 0, 20))
    claim.connecting_at = 140
    assert (claim.stage, claim.wait_split(200)) == (Stage.CONNECT, (10, 60, 30))
    claim.ended_at = 210
    assert claim.wait_split(999) == (10, 70, 30)


def test_a_reader_with_an_old_clock_sees_no_negative_wait() -> None:
    claim = Claim(None, None, asked_at=100)
    claim.pinging_at = 120
    claim.connecting_at = 130
    assert claim.wait_split(110) == (10, 0, 0)
