"""PgBouncer is killed or stopped while connections go through it, and comes back."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from pool_observer.model import Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.databases.failures import assert_usable, described, failure_of
from tests.pgbouncer import PgBouncer
from tests.pooled.through import pgbouncer_of, through_pgbouncer

SELECT = text("SELECT 1")


def interrupted(case: Case) -> bool:
    """End what the server goes on with when its client has gone."""
    case.server.interrupt()
    return not case.server.is_busy()


def survives(case: Case, end: Callable[[PgBouncer], None]) -> None:
    """Every hold ends, once, and with the error that there is without us."""
    pgbouncer = pgbouncer_of(case)
    with (
        case.twin().connect() as bare,
        case.engine.connect() as idle,
        case.engine.connect() as in_transaction,
        case.engine.connect() as executing,
    ):
        in_transaction.execute(SELECT)
        running = case.start_endless(executing)
        end(pgbouncer)
        failed = described(running.failure(), executing)
        assert failure_of(idle) == failure_of(bare)
        assert failure_of(in_transaction)[2:] == failed[2:] == (True, True)
        state = case.state()
        assert (state.used, state.waiting, state.drift) == (0, 0, 0)
    case.wait_until(lambda: interrupted(case))
    pgbouncer.start()
    assert_usable(case.engine)
    assert [hold.ending for hold in case.holds] == [Ending.CHECKIN] * 4
    assert {wait.outcome for wait in case.waits} == {Outcome.ACQUIRED}


@through_pgbouncer(*ON_POSTGRESQL)
def test_every_hold_ends_when_it_is_killed_and_all_recovers(case: Case) -> None:
    survives(case, PgBouncer.kill)


@through_pgbouncer(*ON_POSTGRESQL)
def test_every_hold_ends_when_it_is_stopped_and_all_recovers(case: Case) -> None:
    survives(case, PgBouncer.stop)


@through_pgbouncer(*ON_POSTGRESQL)
def test_while_it_is_down_waits_fail_as_they_do_without_us(case: Case) -> None:
    pgbouncer = pgbouncer_of(case)
    twin = case.twin()
    pgbouncer.kill()
    failures = []
    for engine in (twin, case.engine):
        try:
            engine.connect()
        except Exception as error:
            failures.append((type(error), type(getattr(error, "orig", None))))
    assert len(failures) == 2
    assert failures[0] == failures[1]
    [wait] = case.waits
    assert wait.outcome is Outcome.FAILED
    assert wait.connect_ns > 0
    pgbouncer.start()
    assert_usable(case.engine)
    assert [wait.outcome for wait in case.waits] == [Outcome.FAILED, Outcome.ACQUIRED]


@through_pgbouncer(*ON_POSTGRESQL, pool_pre_ping=True)
def test_connections_that_rest_in_our_pool_meanwhile_are_opened_anew(case: Case) -> None:
    pgbouncer = pgbouncer_of(case)
    with case.engine.connect(), case.engine.connect():
        pass
    assert case.state().idle == 2
    pgbouncer.kill()
    pgbouncer.start()
    assert_usable(case.engine)
    *_, wait = case.waits
    assert wait.outcome is Outcome.ACQUIRED
    assert wait.ping_ns > 0
    assert wait.connect_ns > 0


@through_pgbouncer(*ON_POSTGRESQL, settings={"default_pool_size": 1})
def test_clients_in_its_queue_are_cut_off_as_well(case: Case) -> None:
    pgbouncer = pgbouncer_of(case)
    with case.engine.connect() as first, case.engine.connect() as second:
        for connection in (first, second):
            connection.execute(SELECT)
            connection.commit()
        first.execute(SELECT)
        queued = case.in_background(lambda: second.execute(SELECT))
        case.wait_until(lambda: pgbouncer.pool().cl_waiting == 1)
        pgbouncer.kill()
        assert described(queued.failure(), second)[2:] == (True, True)
        assert case.state().used == 1
        assert failure_of(first)[2:] == (True, True)
        assert (case.state().used, case.state().drift) == (0, 0)
    pgbouncer.start()
    assert_usable(case.engine)
