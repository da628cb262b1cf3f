"""COMMIT and COMMIT PREPARED while they run, which is where the time of a slow disk goes.

The server of this module confirms a commit only when a standby has it, and there is
none. So for whoever asks for that (`synchronous_commit`), a commit lasts until it is
interrupted, and has then happened all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from pool_observer.model import Activity
from tests.databases.case import Case
from tests.databases.drivers import ON_POSTGRESQL, PSYCOPG, PSYCOPG2, PSYCOPG_ASYNC
from tests.databases.on import on
from tests.databases.servers import PostgresServer, Server

EXECUTING, IN_TRANSACTION, IDLE = Activity.EXECUTING, Activity.IN_TRANSACTION, Activity.IDLE

WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def without_a_standby(server: Server) -> Server:
    """Set the server up. Restarted, because a mere reload takes effect at its leisure."""
    assert isinstance(server, PostgresServer)
    if server.ask("SHOW synchronous_standby_names") == [""]:
        server.ask("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        server.ask("ALTER SYSTEM SET synchronous_commit = local")
        server.postgres.stop()
        server.postgres.start()
    return server


def assert_executing_until_it_is_over(case: Case, commit: Callable[[], None]) -> None:
    before = case.hold
    running = case.in_background(commit)
    case.wait_until(lambda: bool(case.server.ask(f"SELECT pid {WAITING}")))
    meanwhile = case.hold
    case.server.ask(f"SELECT pg_cancel_backend(pid) {WAITING}")
    running.result()
    after = case.hold
    assert [hold.activity for hold in (before, meanwhile, after)] == [
        IN_TRANSACTION,
        EXECUTING,
        IDLE,
    ]
    assert before.executing_ns < meanwhile.executing_ns < after.executing_ns
    assert before.idle_ns == meanwhile.idle_ns


@on(*ON_POSTGRESQL, own_server=True)
def test_commit_is_executing(case: Case) -> None:
    server = without_a_standby(case.server)
    with case.engine.connect() as connection:
        connection.execute(text("SET synchronous_commit = on"))
        connection.execute(text("CREATE TABLE written (i int)"))
        assert_executing_until_it_is_over(case, connection.commit)
    server.ask("DROP TABLE written")


@on(PSYCOPG, PSYCOPG_ASYNC, PSYCOPG2, own_server=True)
def test_commit_prepared_is_executing(case: Case) -> None:
    server = without_a_standby(case.server)
    with case.engine.connect() as connection:
        connection.execute(text("SET synchronous_commit = on"))
        connection.commit()
        transaction = connection.begin_twophase()
        connection.execute(text("CREATE TABLE written (i int)"))
        connection.execute(text("SET LOCAL synchronous_commit = local"))  # for PREPARE
        transaction.prepare()
        assert_executing_until_it_is_over(case, transaction.commit)
    server.ask("DROP TABLE written")
