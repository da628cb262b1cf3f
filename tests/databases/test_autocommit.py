"""In AUTOCOMMIT there is no transaction to be in, however it was asked for."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import EVERY
from tests.databases.on import on

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE


def _assert_never_in_transaction(case: Case, connection: Connection) -> None:
    for _ in range(2):
        connection.execute(text("SELECT 1"))
        assert case.activity is IDLE
    running = case.start_endless(connection)
    activity = case.activity
    case.server.interrupt()
    running.failure()
    assert activity is EXECUTING
    assert case.activity is IDLE
    connection.commit()
    connection.execute(text("SELECT 1"))
    assert case.activity is IDLE
    assert case.hold.in_transaction_ns == 0


@on(*EVERY, isolation_level="AUTOCOMMIT")
def test_on_an_engine_made_with_autocommit(case: Case) -> None:
    with case.engine.connect() as connection:
        _assert_never_in_transaction(case, connection)
    with case.engine.begin() as connection:
        _assert_in_no_transaction_after_a_statement(case, connection)
    assert [hold.in_transaction_ns for hold in case.holds] == [0, 0]


def _assert_in_no_transaction_after_a_statement(case: Case, connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
    assert case.activity is IDLE


@on(*EVERY)
def test_on_an_engine_with_the_execution_option(case: Case) -> None:
    """Such an engine borrows the pool of the observed one, and its observer."""
    with case.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        _assert_never_in_transaction(case, connection)


@on(*EVERY)
def test_in_a_session(case: Case) -> None:
    with Session(case.engine) as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        session.execute(text("SELECT 1"))
        assert case.activity is IDLE
        session.commit()
        session.execute(text("SELECT 1"))  # another connection, without the option
        assert case.activity is IN_TRANSACTION


@on(*EVERY, pool_size=1)
def test_on_one_connection_and_not_on_the_next(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        _assert_never_in_transaction(case, connection)
    with case.engine.connect() as connection:  # the same one, with its level put back
        connection.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION
    first, second = case.holds
    assert first.in_transaction_ns == 0
    assert second.in_transaction_ns > 0


@on(*EVERY)
def test_changing_to_autocommit_and_back_within_a_hold(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION
        connection.commit()
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SELECT 1"))
        assert case.activity is IDLE
        connection.commit()
        default = connection.default_isolation_level
        connection.execution_options(isolation_level=default)
        connection.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION


@on(*EVERY)
def test_another_isolation_level_is_a_transaction(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execution_options(isolation_level="SERIALIZABLE")
        connection.execute(text("SELECT 1"))
        assert case.activity is IN_TRANSACTION
