"""The server ends a connection that somebody holds, as an administrator or a time limit does.

SQLAlchemy invalidates a connection as soon as it finds out, and takes it back into the pool:
that is the end of the hold. Who goes on with the same `Connection` begins another hold.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pool_observer.model import Activity, Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import ASYNCPG, WITH_A_SERVER
from tests.databases.failures import assert_usable, described, failure_of, pid_of
from tests.databases.on import on


@on(*WITH_A_SERVER)
def test_killed_while_idle_the_application_is_told_what_it_is_told_without_us(case: Case) -> None:
    failures = []
    # One after the other: what asyncpg says depends on whether it has read of its end yet.
    for engine in (case.twin(), case.engine):
        with engine.connect() as connection:
            case.server.kill(pid_of(connection, case))
            failures.append(failure_of(connection))
            assert case.state().used == 0
    assert failures[0] == failures[1]
    [hold] = case.holds
    assert hold.ending is Ending.CHECKIN
    assert hold.executing_ns > 0
    assert case.state().totals.connections_invalidated == 1
    assert_usable(case.engine)


@on(*WITH_A_SERVER)
def test_killed_in_a_transaction_and_used_again_there_is_a_second_hold(case: Case) -> None:
    with case.engine.connect() as connection:
        pid = pid_of(connection, case)
        connection.execute(text("SELECT 1"))
        case.server.kill(pid)
        failure_of(connection)
        connection.rollback()
        assert case.state().used == 0
        assert connection.scalar(text("SELECT 1")) == 1  # SQLAlchemy has reconnected
        assert case.activity is Activity.IN_TRANSACTION
        assert case.hold.backend_pid not in (pid, None)
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2


@on(*WITH_A_SERVER)
def test_killed_in_a_transaction_and_merely_closed_the_hold_ends_once(case: Case) -> None:
    """SQLAlchemy's own rollback fails, inside close(); the application hears nothing of it."""
    with case.engine.connect() as connection:
        pid = pid_of(connection, case)
        connection.execute(text("SELECT 1"))
        case.server.kill(pid)
        assert case.activity is Activity.IN_TRANSACTION
        try:
            connection.close()
        except DBAPIError:
            connection.close()
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN]
    assert_usable(case.engine)


@on(*WITH_A_SERVER)
def test_killed_while_executing_the_application_is_told_what_it_is_told_without_us(
    case: Case,
) -> None:
    failures = []
    for engine in (case.twin(), case.engine):
        with engine.connect() as connection:
            pid = pid_of(connection, case)
            running = case.start_endless(connection)
            case.server.kill(pid)
            failures.append(described(running.failure(), connection))
    if case.driver is ASYNCPG:  # which calls it now this, now that, without us too
        failures = [(DBAPIError, Exception, *failure[2:]) for failure in failures]
    assert failures[0] == failures[1]
    [hold] = case.holds
    assert hold.ending is Ending.CHECKIN
    assert hold.executing_ns > 0


@on(*WITH_A_SERVER, pool_pre_ping=True)
def test_killed_in_the_pool_a_ping_finds_out_and_reconnects(case: Case) -> None:
    with case.engine.connect() as connection:
        pid = pid_of(connection, case)
    case.server.kill(pid)
    with case.engine.connect() as connection:
        new_pid = connection.scalar(text(case.driver.backend.own_id))
        assert new_pid != pid
        assert case.hold.backend_pid == new_pid
    _, wait = case.waits
    assert wait.outcome is Outcome.ACQUIRED
    assert wait.ping_ns > 0
    assert wait.connect_ns > 0
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 2
