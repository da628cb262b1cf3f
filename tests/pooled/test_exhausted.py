"""PgBouncer's own queue: its clients wait inside their statements, and not in our pool."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from pool_observer import holding
from pool_observer.model import Activity, Ending, Outcome, Stage
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.databases.failures import assert_usable
from tests.pooled.through import pgbouncer_of, pool_of, through_pgbouncer

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

SELECT = text("SELECT 1")
ONE_SERVER: dict[str, object] = {"default_pool_size": 1}


def warm(case: Case) -> None:
    """Open two connections, while there is a server connection for what drivers ask at first."""
    with case.engine.connect() as first, case.engine.connect() as second:
        for connection in (first, second):
            connection.execute(SELECT)
            connection.commit()


@through_pgbouncer(*ON_POSTGRESQL, settings=ONE_SERVER)
def test_waiting_for_a_server_connection_is_executing(case: Case) -> None:
    warm(case)
    with case.engine.connect() as first, case.engine.connect() as second:
        first.execute(SELECT)
        running = case.in_background(lambda: second.execute(SELECT))
        case.wait_until(lambda: pool_of(case).cl_waiting == 1)
        state, pool = case.state(), pool_of(case)
        assert [hold.activity for hold in state.open_holds] == [IN_TRANSACTION, EXECUTING]
        assert (state.waiting, state.used) == (0, 2)
        assert (pool.sv_active, pool.cl_waiting) == (1, 1)
        first.commit()
        running.result()
        assert [hold.activity for hold in case.state().open_holds] == [IDLE, IN_TRANSACTION]
        assert pool_of(case).cl_waiting == 0


@through_pgbouncer(*ON_POSTGRESQL, settings=ONE_SERVER)
def test_a_client_that_waits_too_long_is_cut_off_in_its_statement(case: Case) -> None:
    warm(case)
    pgbouncer_of(case).set("query_wait_timeout", 1)
    with case.engine.connect() as first, case.engine.connect() as second:
        first.execute(SELECT)
        running = case.in_background(lambda: second.execute(SELECT))
        assert isinstance(running.failure(), DBAPIError)
        assert second.invalidated
        assert [hold.activity for hold in case.state().open_holds] == [IN_TRANSACTION]
    *_, cut_off = case.holds
    assert cut_off.ending is Ending.CHECKIN
    assert cut_off.executing_ns > cut_off.in_transaction_ns + cut_off.idle_ns
    assert {wait.outcome for wait in case.waits} == {Outcome.ACQUIRED}
    assert case.state().totals.connections_invalidated == 1
    assert_usable(case.engine)


@through_pgbouncer(*ON_POSTGRESQL, settings=ONE_SERVER)
def test_a_second_connection_deadlocks_in_pgbouncer_where_ours_has_room(case: Case) -> None:
    warm(case)

    def nest() -> None:
        with holding("job"), case.engine.connect() as outer:
            outer.execute(SELECT)
            with case.engine.connect() as inner:
                inner.execute(SELECT)

    running = case.in_background(nest)
    case.wait_until(lambda: pool_of(case).cl_waiting == 1)
    state = case.state()
    assert [hold.activity for hold in state.open_holds] == [IN_TRANSACTION, EXECUTING]
    assert state.waiting == 0
    assert (pool_of(case).sv_active, pool_of(case).cl_waiting) == (1, 1)
    pgbouncer_of(case).set("query_wait_timeout", 1)
    assert isinstance(running.failure(), DBAPIError)
    assert case.state().totals.holders["job"].nested == 1
    case.wait_until(lambda: pool_of(case).sv_active == 0)


@through_pgbouncer(*ON_POSTGRESQL, settings=ONE_SERVER, pool_pre_ping=True, pool_size=2)
def test_waiting_for_a_server_connection_at_checkout_is_ping(case: Case) -> None:
    warm(case)
    with case.engine.connect() as first:
        first.execute(SELECT)
        opening = case.in_background(case.engine.connect)
        case.wait_until(lambda: pool_of(case).cl_waiting == 1)
        (seen,) = case.state().open_waits
        assert seen.stage is Stage.PING
        first.commit()
        opening.result().close()
    *_, wait = case.waits
    assert wait.outcome is Outcome.ACQUIRED
    assert (wait.queue_ns, wait.connect_ns) == (seen.queue_ns, 0)
    assert wait.ping_ns > seen.ping_ns


@through_pgbouncer(*ON_POSTGRESQL)
def test_what_no_server_answers_at_all_is_connect(case: Case) -> None:
    """PgBouncer lets nobody in before it has heard from the server what to greet them with."""
    pgbouncer_of(case).ask("PAUSE")
    opening = case.in_background(case.engine.connect)
    case.wait_until(lambda: case.state().waiting == 1)
    (seen,) = case.state().open_waits
    assert seen.stage is Stage.CONNECT
    pgbouncer_of(case).ask("RESUME")
    connection = opening.result()
    assert isinstance(connection, Connection)
    connection.close()
    (wait,) = case.waits
    assert (wait.queue_ns, wait.ping_ns) == (seen.queue_ns, 0)
    assert wait.connect_ns > seen.connect_ns
