"""What one look at a real MariaDB brings, for who may see everything and for who may not."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from pool_observer.probe.mysql import Asking, read
from pool_observer.server import SessionState
from tests.databases.case import Case
from tests.databases.drivers import AIOMYSQL, PYMYSQL
from tests.databases.on import on
from tests.databases.servers import MariadbServer
from tests.probe.mysql.looking import (
    CHANGE,
    SHARE,
    autocommitting,
    in_transaction,
    look,
    row_of,
    waiting,
)
from tests.probe.mysql.server import visiting
from tests.support import wait_until

DRIVERS = (AIOMYSQL, PYMYSQL)

NO_SUCH_TABLE, PARSE_ERROR, STATEMENT_TIMEOUT = 1146, 1064, 1969


def test_it_is_told_who_is_who(root: Engine) -> None:
    with in_transaction(root, CHANGE) as pid:
        reading = look(root)
        row, own = row_of(reading, pid), row_of(reading, reading.pid)
        assert (row.user, row.database, row.application) == ("root", "test", None)
        assert (own.user, own.database) == ("root", "test")
        assert row.state is SessionState.IDLE_IN_TRANSACTION
        assert own.state is SessionState.ACTIVE


THREADS = "SELECT id FROM information_schema.processlist WHERE "


def test_the_scheduler_and_events_are_no_sessions(root: Engine, mariadb: MariadbServer) -> None:
    mariadb.ask("SET GLOBAL event_scheduler = ON")
    mariadb.ask("CREATE EVENT pausing ON SCHEDULE AT CURRENT_TIMESTAMP DO DO SLEEP(600)")
    scheduler, event = THREADS + "command = 'Daemon'", THREADS + "state = 'User sleep'"
    try:
        wait_until(lambda: mariadb.ask(scheduler) and mariadb.ask(event))
        threads = {*mariadb.ask(scheduler), *mariadb.ask(event)}
        assert threads.isdisjoint(row.pid for row in look(root).rows)
    finally:
        for thread in mariadb.ask(event):
            mariadb.ask(f"KILL {thread:d}")
        mariadb.ask("SET GLOBAL event_scheduler = OFF")


def test_what_makes_the_server_a_replica_is_no_session(
    root: Engine, mariadb: MariadbServer
) -> None:
    mariadb.ask("SET GLOBAL server_id = 2")
    mariadb.ask("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'no'")
    mariadb.ask("START SLAVE")
    threads = THREADS + "user = 'system user'"
    try:
        wait_until(lambda: len(mariadb.ask(threads)) >= 2)  # one fetches, and one applies
        assert {*mariadb.ask(threads)}.isdisjoint(row.pid for row in look(root).rows)
    finally:
        mariadb.ask("STOP SLAVE")
        mariadb.ask("RESET SLAVE ALL")


def test_who_is_about_to_log_in_is_a_session(root: Engine, mariadb: MariadbServer) -> None:
    address = mariadb.url(PYMYSQL).query["unix_socket"]
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(address)
        wait_until(lambda: "unauthenticated user" in {row.user for row in look(root).rows})


@pytest.mark.parametrize("zone", ["+05:00", "-05:00"])
def test_the_age_of_a_transaction_is_the_same_in_every_time_zone(
    zone: str, mariadb: MariadbServer
) -> None:
    engine = create_engine(
        mariadb.url(PYMYSQL),
        poolclass=NullPool,
        connect_args={"init_command": f"SET time_zone = '{zone}'"},
    )
    with in_transaction(engine, CHANGE) as pid:

        def age() -> float:
            return row_of(look(engine), pid).transaction_seconds or 0.0

        wait_until(lambda: age() > 0)  # never, if the zone is added to its beginning
        assert age() < 3600  # if it is taken away from it


def test_limits_are_the_servers_and_the_accounts(root: Engine, mariadb: MariadbServer) -> None:
    limits = look(root).limits
    assert (limits.max_connections, limits.reserved, limits.role, limits.database) == (
        151,
        0,
        None,
        None,
    )
    assert limits.idle_in_transaction_timeout is None
    with visiting(mariadb, limit=7) as visitor:
        assert look(visitor).limits.role == 7


def test_the_time_out_of_idle_transactions_is_told(root: Engine, mariadb: MariadbServer) -> None:
    mariadb.ask("SET GLOBAL idle_transaction_timeout = 90")
    try:
        assert look(root).limits.idle_in_transaction_timeout == 90
    finally:
        mariadb.ask("SET GLOBAL idle_transaction_timeout = 0")


def test_who_may_not_see_others_sees_its_own_sessions_and_no_transactions(
    root: Engine, mariadb: MariadbServer
) -> None:
    with (
        visiting(mariadb) as visitor,
        in_transaction(root, CHANGE),
        in_transaction(visitor, CHANGE.replace("= 1", "= 2")) as pid,
    ):
        reading = look(visitor)
        assert {row.user for row in reading.rows} == {"visitor"}
        row = row_of(reading, pid)
        assert row.state is SessionState.IDLE
        assert row.transaction_seconds is None
        assert reading.limits.max_connections == 151


def test_who_may_see_others_sees_them_as_root_does(root: Engine, mariadb: MariadbServer) -> None:
    with visiting(mariadb) as visitor, in_transaction(root, CHANGE) as first:
        mariadb.ask("GRANT PROCESS ON *.* TO visitor@localhost")
        with waiting(visitor, CHANGE, mariadb) as second:
            reading = look(visitor)
            assert row_of(reading, first).state is SessionState.IDLE_IN_TRANSACTION
            assert row_of(reading, second).blocked_by == (first,)


@on(*DRIVERS)
def test_nothing_is_left_on_the_session(case: Case) -> None:
    def settings(connection: Connection) -> dict[str, str]:
        rows = connection.execute(text("SHOW SESSION VARIABLES")).all()
        return {name: value for name, value in rows if name != "timestamp"}

    with case.engine.connect() as connection:
        autocommitting(connection)
        before = settings(connection)
        cursor = connection.connection.cursor()
        reading = read(cursor, 5.0)
        cursor.close()
        assert settings(connection) == before
        assert before["max_statement_time"] == "0.000000"
        assert connection.scalar(text("SELECT @@in_transaction")) == 0
        assert connection.scalar(text("SELECT CONNECTION_ID()")) == reading.pid


@on(*DRIVERS)
def test_the_server_gives_up_in_time(case: Case) -> None:
    with case.engine.connect() as connection:
        cursor = autocommitting(connection).connection.cursor()
        ask = Asking(cursor, timeout=0.01)
        for select in (ask.select, ask.select_if_allowed):
            assert code_of(select, "SLEEP(600)") == STATEMENT_TIMEOUT
        assert ask.select("1")[0][0] == 1
        cursor.close()


@on(*DRIVERS)
def test_what_is_wrong_with_a_question_is_not_taken_for_a_lack_of_privileges(case: Case) -> None:
    with case.engine.connect() as connection:
        cursor = autocommitting(connection).connection.cursor()
        ask = Asking(cursor, timeout=5.0)
        assert ask.select_if_allowed("* FROM nowhere") == ()
        assert code_of(ask.select, "* FROM nowhere") == NO_SUCH_TABLE
        assert code_of(ask.select_if_allowed, "FROM") == PARSE_ERROR
        cursor.close()


def code_of(select: Callable[[str], object], what: str) -> int:
    with pytest.raises(Exception) as failure:  # noqa: PT011
        select(what)
    code = failure.value.args[0]
    assert isinstance(code, int)
    return code


def test_every_thread_is_told_once(root: Engine) -> None:
    with ExitStack() as stack:
        pids = {stack.enter_context(in_transaction(root, SHARE)) for _ in range(5)}
        reading = look(root)
        told = [row.pid for row in reading.rows]
        assert len(told) == len(set(told))
        assert pids | {reading.pid} <= set(told)
