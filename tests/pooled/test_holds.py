"""Holds through PgBouncer in transaction mode: what they do, for whom, and how it adds up."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.pool import NullPool

from pool_observer import holding
from pool_observer.model import Activity, Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.pgbouncer import Pool
from tests.pooled.locks import LOCK, locked
from tests.pooled.through import PooledServer, pool_of, through_pgbouncer

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

SELECT = text("SELECT 1")


@through_pgbouncer(*ON_POSTGRESQL)
def test_a_statement_is_executing_while_it_runs(case: Case) -> None:
    assert isinstance(case.server, PooledServer)
    with locked(case.server.postgres) as lock, case.engine.connect() as connection:
        connection.execute(SELECT)
        before = case.hold
        running = case.in_background(lambda: connection.execute(LOCK))
        case.wait_until(lambda: lock.waiting() == 1)
        earlier, later = case.hold, case.hold
        lock.release()
        running.result()
        after = case.hold
        assert [hold.activity for hold in (before, earlier, later, after)] == [
            IN_TRANSACTION,
            EXECUTING,
            EXECUTING,
            IN_TRANSACTION,
        ]
        assert earlier.executing_ns < later.executing_ns < after.executing_ns
        assert earlier.in_transaction_ns == later.in_transaction_ns


@through_pgbouncer(*ON_POSTGRESQL)
def test_each_hold_does_what_it_does(case: Case) -> None:
    assert isinstance(case.server, PooledServer)
    with (
        locked(case.server.postgres) as lock,
        case.engine.connect(),
        case.engine.connect() as waiting,
        case.engine.connect() as busy,
    ):
        waiting.execute(SELECT)
        running = case.in_background(lambda: busy.execute(LOCK))
        case.wait_until(lambda: lock.waiting() == 1)
        state, pool = case.state(), pool_of(case)
        lock.release()
        running.result()
    assert [hold.activity for hold in state.open_holds] == [IDLE, IN_TRANSACTION, EXECUTING]
    assert (state.used, state.waiting, state.drift) == (3, 0, 0)
    assert (pool.cl_active, pool.sv_active) == (3, 2)


@through_pgbouncer(*ON_POSTGRESQL)
def test_the_activities_of_a_hold_add_up_to_it(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(text(case.driver.backend.pause), {"seconds": 0.05})
        during = case.hold
        connection.commit()
        committed = case.hold
        connection.execute(SELECT)
    [hold] = case.holds
    for each in (during, committed, hold):
        parts = (each.executing_ns, each.in_transaction_ns, each.idle_ns)
        assert sum(parts) == each.duration_ns
    assert during.executing_seconds >= 0.05
    assert committed.executing_ns > during.executing_ns
    assert hold.executing_ns > committed.executing_ns
    assert hold.ending is Ending.CHECKIN
    [tally] = case.state().totals.holders.values()
    assert list(tally.activity_ns.values()) == [
        hold.executing_ns,
        hold.in_transaction_ns,
        hold.idle_ns,
    ]


@through_pgbouncer(*ON_POSTGRESQL, settings={"default_pool_size": 1})
def test_every_hold_is_counted_for_its_holder(case: Case) -> None:
    wanted = {"report": 3, "import": 2, "cleanup": 1}
    for holder, times in wanted.items():
        for _ in range(times):
            with holding(holder), case.engine.begin() as connection:
                connection.execute(SELECT)
                assert case.hold.holder == holder
    totals = case.state().totals.holders
    assert {holder: tally.checkouts for holder, tally in totals.items()} == wanted
    assert {holder: tally.returns[Ending.CHECKIN] for holder, tally in totals.items()} == wanted
    for holder, tally in totals.items():
        spent = [hold.duration_ns for hold in case.holds if hold.holder == holder]
        assert sum(tally.activity_ns.values()) == sum(spent)


@through_pgbouncer(*ON_POSTGRESQL)
def test_a_server_connection_is_needed_while_in_transaction_and_no_longer(case: Case) -> None:
    with case.engine.connect() as connection:
        assert case.hold.activity is IDLE
        assert pool_of(case).sv_active == 0
        for end in (connection.commit, connection.rollback):
            connection.execute(SELECT)
            assert case.hold.activity is IN_TRANSACTION
            assert pool_of(case).sv_active == 1
            end()
            assert case.hold.activity is IDLE
            case.wait_until(lambda: pool_of(case) == Pool(cl_active=1, sv_idle=1))


@through_pgbouncer(*ON_POSTGRESQL, poolclass=NullPool)
def test_without_a_pool_of_our_own_every_hold_opens_a_connection(case: Case) -> None:
    for _ in range(3):
        with case.engine.connect() as connection:
            connection.execute(SELECT)
    assert [wait.outcome for wait in case.waits] == [Outcome.ACQUIRED] * 3
    assert all(wait.connect_ns > 0 for wait in case.waits)
    assert len(case.holds) == 3
    assert case.state().totals.connections_opened == 3
    case.wait_until(lambda: pool_of(case).cl_active == 0)


@through_pgbouncer(*ON_POSTGRESQL, isolation_level="AUTOCOMMIT")
def test_autocommit_needs_a_server_connection_for_no_longer_than_a_statement(case: Case) -> None:
    with case.engine.connect() as connection:
        connection.execute(SELECT)
        assert case.hold.activity is IDLE
        case.wait_until(lambda: pool_of(case).sv_active == 0)
