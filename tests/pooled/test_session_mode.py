"""PgBouncer in session mode: what our pool keeps open, it keeps from everybody else."""

from __future__ import annotations

from sqlalchemy import text

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.databases.failures import assert_usable
from tests.pgbouncer import SESSION, Pool
from tests.pooled.through import pool_of, through_pgbouncer

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

SELECT = text("SELECT 1")


@through_pgbouncer(*ON_POSTGRESQL, settings={"pool_mode": SESSION}, connect_args={})
def test_every_open_connection_needs_a_server_connection(case: Case) -> None:
    with case.engine.connect() as idle, case.engine.connect() as in_transaction:
        for connection in (idle, in_transaction):
            connection.execute(SELECT)
        idle.commit()
        state = case.state()
        assert [hold.activity for hold in state.open_holds] == [IDLE, IN_TRANSACTION]
        assert pool_of(case).sv_active == state.used == 2
    state = case.state()
    assert (state.used, state.idle) == (0, 2)
    assert pool_of(case) == Pool(cl_active=2, sv_active=2)


@through_pgbouncer(
    *ON_POSTGRESQL, settings={"pool_mode": SESSION, "default_pool_size": 1}, connect_args={}
)
def test_a_connection_that_rests_in_a_pool_makes_others_wait(case: Case) -> None:
    twin = case.twin()
    assert_usable(twin)
    opening = case.in_background(lambda: assert_usable(case.engine))
    case.wait_until(lambda: pool_of(case).cl_waiting == 1)
    state = case.state()
    assert pool_of(case) == Pool(cl_active=1, cl_waiting=1, sv_active=1)
    assert [hold.activity for hold in state.open_holds] in ([], [EXECUTING])
    assert len(state.open_holds) + state.waiting == 1
    twin.dispose()
    opening.result()


@through_pgbouncer(*ON_POSTGRESQL, settings={"pool_mode": SESSION}, connect_args={})
def test_the_driver_may_keep_what_it_likes_on_the_server(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        for connection in (first, second, first, second):
            for _ in range(10):
                assert connection.scalar(SELECT) == 1
            connection.commit()
    assert [hold.activity for hold in case.holds] == [IDLE, IDLE]
