"""Holds that end in other ways than by close(), and connections taken in other ways."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidRequestError

from pool_observer.model import Activity, Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import EVERY
from tests.databases.on import on

IN_TRANSACTION, IDLE = Activity.IN_TRANSACTION, Activity.IDLE


@on(*EVERY)
def test_detach_ends_the_hold(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.commit()
        connection.detach()
        state = case.state()
        assert (state.used, state.drift) == (0, 0)
        [hold] = case.holds
        assert hold.ending is Ending.DETACHED
        # It still works, and is nobody's concern any more.
        assert connection.scalar(text("SELECT 1")) == 1
        assert case.state().used == 0
    assert len(case.holds) == 1


@on(*EVERY, pool_size=1, max_overflow=0)
def test_after_a_detach_the_pool_hands_out_another_connection(case: Case) -> None:
    with case.engine.connect() as detached:
        detached.detach()
        with case.engine.connect() as other:
            other.execute(text("SELECT 1"))
            assert case.activity is IN_TRANSACTION
            detached.execute(text("SELECT 1"))
            detached.commit()
            assert case.activity is IN_TRANSACTION  # that commit was not this hold's
            assert case.state().used == 1
        detached.execute(text("SELECT 1"))
        assert case.state().used == 0
    assert [hold.ending for hold in case.holds] == [Ending.DETACHED, Ending.CHECKIN]


@on(*EVERY)
def test_invalidate_ends_the_hold_and_using_it_again_begins_another(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.invalidate()
        state = case.state()
        assert (state.used, state.idle, state.drift) == (0, 0, 0)
        assert [hold.ending for hold in case.holds] == [Ending.CHECKIN]
        assert state.totals.connections_invalidated == 1
        connection.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2


@on(*EVERY)
def test_a_softly_invalidated_connection_is_replaced_at_its_next_checkout(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.connection.invalidate(soft=True)
        assert connection.scalar(text("SELECT 1")) == 1
        assert case.activity is IN_TRANSACTION
        assert case.state().used == 1
    with case.engine.connect():
        assert case.activity is IDLE
    assert [wait.connect_ns > 0 for wait in case.waits] == [True, True]
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2


@on(*EVERY)
def test_a_raw_connection_is_held_until_it_is_closed(case: Case) -> None:
    """What its cursors do is the driver's affair, and invisible to us; its commit is not."""
    raw = case.engine.raw_connection()
    assert case.activity is IDLE
    cursor = raw.cursor()
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)
    cursor.close()
    raw.commit()
    assert case.activity is IDLE
    assert case.state().used == 1
    raw.close()
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN]


@on(*EVERY)
def test_a_raw_connection_may_be_detached_or_invalidated(case: Case) -> None:
    detached = case.engine.raw_connection()
    detached.detach()
    assert case.state().used == 0
    detached.close()
    invalidated = case.engine.raw_connection()
    invalidated.invalidate()
    assert case.state().used == 0
    assert [hold.ending for hold in case.holds] == [Ending.DETACHED, Ending.CHECKIN]


@on(*EVERY)
def test_a_connection_closed_twice_ends_its_hold_once(case: Case) -> None:
    connection = case.engine.connect()
    connection.close()
    connection.close()
    assert len(case.holds) == 1


@on(*EVERY)
def test_a_checkout_that_a_listener_of_the_application_refuses_is_a_failed_wait(
    case: Case,
) -> None:
    @event.listens_for(case.engine, "checkout")
    def refuse(*_: object) -> None:
        raise InvalidRequestError("not today")

    with pytest.raises(InvalidRequestError, match="not today"):
        case.engine.connect()
    [wait] = case.waits
    assert wait.outcome is Outcome.FAILED
    state = case.state()
    assert (state.used, state.idle, state.drift) == (0, 0, 0)
    event.remove(case.engine, "checkout", refuse)
    with case.engine.connect():
        assert case.state().used == 1
