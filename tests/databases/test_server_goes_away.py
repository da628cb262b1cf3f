"""The server goes away altogether, and comes back: connections held, and in the pool."""

from __future__ import annotations

from sqlalchemy import text

from pool_observer.model import Ending, Outcome
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.databases.failures import assert_usable, described, failure_of
from tests.databases.on import on
from tests.databases.servers import restarted_afterwards


@on(*ON_POSTGRESQL, own_server=True)
def test_a_crash_ends_every_hold_once_and_all_recovers(case: Case) -> None:
    with restarted_afterwards(case.server) as server:
        twin = case.twin()
        with (
            twin.connect() as bare,
            case.engine.connect() as idle,
            case.engine.connect() as in_transaction,
            case.engine.connect() as executing,
        ):
            in_transaction.execute(text("SELECT 1"))
            running = case.start_endless(executing)
            server.postgres.stop()
            failed = described(running.failure(), executing)
            assert failure_of(idle) == failure_of(bare)
            assert failure_of(in_transaction)[2:] == failed[2:] == (True, True)
            assert case.state().used == 0
        server.postgres.start()
        assert_usable(case.engine)
        endings = [hold.ending for hold in case.holds]
        assert endings == [Ending.CHECKIN] * 4


@on(*ON_POSTGRESQL, own_server=True, pool_pre_ping=True)
def test_a_crash_while_connections_rest_in_the_pool(case: Case) -> None:
    with restarted_afterwards(case.server) as server:
        with case.engine.connect(), case.engine.connect():
            pass
        assert case.state().idle == 2
        server.postgres.stop()
        server.postgres.start()
        assert_usable(case.engine)
        *_, wait = case.waits
        assert wait.outcome is Outcome.ACQUIRED
        assert wait.ping_ns > 0
        assert wait.connect_ns > 0


@on(*ON_POSTGRESQL, own_server=True)
def test_connecting_to_a_server_that_is_down_fails_as_it_does_without_us(case: Case) -> None:
    with restarted_afterwards(case.server) as server:
        server.postgres.stop()
        failures = []
        for engine in (case.twin(), case.engine):
            try:
                engine.connect()
            except Exception as error:
                failures.append((type(error), type(getattr(error, "orig", None))))
        assert len(failures) == 2
        assert failures[0] == failures[1]
        [wait] = case.waits
        assert wait.outcome is Outcome.FAILED
        assert wait.connect_ns > 0
        server.postgres.start()
        assert_usable(case.engine)
        assert [wait.outcome for wait in case.waits] == [Outcome.FAILED, Outcome.ACQUIRED]


@on(*ON_POSTGRESQL, own_server=True, pool_pre_ping=True)
def test_a_ping_that_cannot_reconnect_is_a_failed_wait(case: Case) -> None:
    with restarted_afterwards(case.server) as server:
        assert_usable(case.engine)
        server.postgres.stop()
        try:
            case.engine.connect()
        except Exception:
            server.postgres.start()
        assert [wait.outcome for wait in case.waits] == [Outcome.ACQUIRED, Outcome.FAILED]
        failed = case.waits[-1]
        assert failed.ping_ns > 0
        assert failed.connect_ns > 0
        assert case.state().used == 0
        assert_usable(case.engine)
