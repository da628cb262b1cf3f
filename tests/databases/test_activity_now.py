"""What a snapshot says a hold is doing, at the instant at which it is doing it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import EVERY
from tests.databases.on import on

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE


@on(*EVERY)
def test_a_statement_that_runs_now_is_executing(case: Case) -> None:
    with case.engine.connect() as connection:
        running = case.start_endless(connection)
        earlier, later = case.hold, case.hold
        case.server.interrupt()
        running.failure()
        assert earlier.activity is later.activity is EXECUTING
        assert later.executing_ns > earlier.executing_ns
        assert later.in_transaction_ns == earlier.in_transaction_ns
        assert later.idle_ns == earlier.idle_ns


@on(*EVERY)
def test_a_statement_that_was_interrupted_leaves_a_transaction(case: Case) -> None:
    """MariaDB has no error to show for it, unlike the others. Either way it is over."""
    with case.engine.connect() as connection:
        running = case.start_endless(connection)
        case.server.interrupt()
        error = running.failure()
        assert error is None or isinstance(error, DBAPIError)
        assert case.activity is IN_TRANSACTION
        connection.rollback()
        assert case.activity is IDLE


@on(*EVERY)
def test_only_the_connection_that_executes_is_executing(case: Case) -> None:
    with case.engine.connect(), case.engine.connect() as waiting, case.engine.connect() as busy:
        waiting.execute(text("SELECT 1"))
        running = case.start_endless(busy)
        activities = [hold.activity for hold in case.state().open_holds]
        case.server.interrupt()
        running.failure()
        assert activities == [IDLE, IN_TRANSACTION, EXECUTING]


@on(*EVERY)
def test_a_transaction_begins_with_its_first_statement(case: Case) -> None:
    """`begin()` sends nothing: drivers send BEGIN along with the first statement."""
    with case.engine.connect() as connection:
        assert case.activity is IDLE
        with connection.begin():
            assert case.activity is IDLE
            connection.execute(text("SELECT 1"))
            assert case.activity is IN_TRANSACTION
        assert case.activity is IDLE


@on(*EVERY)
def test_commit_and_rollback_end_a_transaction(case: Case) -> None:
    with case.engine.connect() as connection:
        for end in (connection.commit, connection.rollback):
            connection.execute(text("SELECT 1"))
            assert case.activity is IN_TRANSACTION
            before = case.hold.executing_ns
            end()
            assert case.activity is IDLE
            assert case.hold.executing_ns > before


@on(*EVERY)
def test_closing_a_connection_in_a_transaction_counts_the_rollback(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        before = case.hold
    [hold] = case.holds
    assert hold.activity is IDLE
    assert hold.executing_ns > before.executing_ns
    assert hold.in_transaction_ns >= before.in_transaction_ns
    assert hold.idle_ns >= before.idle_ns


@on(*EVERY)
def test_a_statement_that_fails_was_executing_and_leaves_a_transaction(case: Case) -> None:
    with case.engine.connect() as connection:
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT nonsense FROM nowhere"))
        assert case.activity is IN_TRANSACTION
        assert case.hold.executing_ns > 0
        connection.rollback()
        assert case.activity is IDLE
        assert connection.scalar(text("SELECT 1")) == 1


@on(*EVERY)
def test_a_rollback_at_once_is_no_work(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.begin()
        connection.rollback()
        assert case.activity is IDLE
    [hold] = case.holds
    assert hold.in_transaction_ns == 0
