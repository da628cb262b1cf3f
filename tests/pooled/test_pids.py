"""Facts about the PID: what drivers are told through PgBouncer is not the server's."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL
from tests.pgbouncer import SESSION
from tests.pooled.through import through_pgbouncer

OWN_ID = text("SELECT pg_backend_pid()")
ONE_SERVER: dict[str, object] = {"default_pool_size": 1}


def server_pid(connection: Connection) -> int:
    """Which process of the server this transaction is in."""
    return int(connection.scalar(OWN_ID) or 0)


def pid_that_the_driver_knows(case: Case) -> int:
    pid = case.hold.backend_pid
    assert pid is not None
    return pid


@through_pgbouncer(*ON_POSTGRESQL)
def test_fact_35_the_drivers_pid_is_not_the_servers(case: Case) -> None:
    with case.engine.connect() as connection:
        known = pid_that_the_driver_knows(case)
        assert server_pid(connection) != known
        assert known not in case.server.ask("SELECT pid FROM pg_stat_activity")


@through_pgbouncer(*ON_POSTGRESQL, settings={"pool_mode": SESSION})
def test_fact_35_not_even_in_session_mode(case: Case) -> None:
    with case.engine.connect() as connection:
        known = pid_that_the_driver_knows(case)
        assert server_pid(connection) != known
        assert known not in case.server.ask("SELECT pid FROM pg_stat_activity")


@through_pgbouncer(*ON_POSTGRESQL)
def test_fact_35_one_hold_is_with_several_processes_of_the_server(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        before = server_pid(first)
        known = [hold.backend_pid for hold in case.state().open_holds]
        first.commit()
        assert server_pid(second) == before  # PgBouncer hands out the latest that it got back
        assert server_pid(first) != before
        assert [hold.backend_pid for hold in case.state().open_holds] == known


@through_pgbouncer(*ON_POSTGRESQL, settings=ONE_SERVER)
def test_fact_35_one_process_of_the_server_is_with_several_holds(case: Case) -> None:
    with case.engine.connect() as first, case.engine.connect() as second:
        asked = []
        for connection in (first, second):
            asked.append(server_pid(connection))
            connection.commit()
        assert asked[0] == asked[1]
        known = {hold.backend_pid for hold in case.state().open_holds}
        assert len(known) == 2
