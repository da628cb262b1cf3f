"""On a real MariaDB: whose sessions are idle in transaction, blocked, and in long statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from pool_observer import Owner, ServerProbe, ServerState, SessionState, Trouble, holding
from tests.databases.case import Case
from tests.databases.drivers import AIOMYSQL, MARIADB, PYMYSQL, Driver
from tests.databases.on import on
from tests.databases.servers import MariadbServer
from tests.probe.mysql.server import account, visiting

DRIVERS = (AIOMYSQL, PYMYSQL)
# InnoDB tells of the same transactions again until nobody has asked for a tenth of a second.
OFTEN = 0.25
PROBED = {"server_probe": ServerProbe(interval=OFTEN)}

CHAT, PAY, REPORT = "POST /chat/{user}", "POST /pay", "GET /report"
CHANGE = text("UPDATE account SET balance = balance + 1 WHERE id = 1")


def change(case: Case) -> None:
    with holding(PAY), case.engine.begin() as connection:
        connection.execute(CHANGE)


def report(case: Case) -> None:
    with holding(REPORT), case.engine.connect() as connection:
        connection.execute(text(MARIADB.endless))


def server_of(case: Case) -> ServerState:
    server = case.state().server
    return ServerState(up=False) if server is None else server


@contextmanager
def all_three(case: Case) -> Iterator[ServerState]:
    """One has changed a row and does nothing, one wants to change it, and one is busy."""
    with holding(CHAT), case.engine.connect() as connection:
        connection.execute(CHANGE)
        paying = case.in_background(lambda: change(case))
        reporting = case.in_background(lambda: report(case))
        try:
            case.wait_until(case.server.is_busy)
            case.wait_until(
                lambda: (
                    len(server_of(case).holds) == 3
                    and any(hold.blocked_by for hold in server_of(case).holds)
                )
            )
            yield server_of(case)
        finally:
            connection.rollback()
            case.server.interrupt()
            paying.result()
            reporting.failure()


@on(*DRIVERS, observing=PROBED)
def test_each_session_has_its_holder_and_the_one_that_is_blocked_names_the_culprit(
    case: Case,
) -> None:
    with all_three(case) as state:
        held = {hold.holder: hold for hold in state.holds}
        assert {holder: hold.session.state for holder, hold in held.items()} == {
            CHAT: SessionState.IDLE_IN_TRANSACTION,
            PAY: SessionState.ACTIVE,
            REPORT: SessionState.ACTIVE,
        }
        (culprit,) = held[PAY].blocked_by
        assert culprit.holder == CHAT
        assert culprit.session == held[CHAT].session
        assert held[PAY].session.waits_for == "InnoDB lock"
        assert (held[CHAT].blocks, held[PAY].blocks, held[REPORT].blocks) == (1, 0, 0)
        assert held[CHAT].blocked_by == held[REPORT].blocked_by == ()
        assert held[CHAT].session.waits_for is held[REPORT].session.waits_for is None
        assert held[CHAT].session.transaction_seconds is not None
        assert held[PAY].session.transaction_seconds is not None
        assert held[REPORT].session.transaction_seconds is None  # it reads no table
        assert all((hold.session.state_seconds or 0) > 0 for hold in state.holds)
        holds = case.state().open_holds
        assert {hold.holder: hold.backend_pid for hold in holds} == {
            holder: hold.session.pid for holder, hold in held.items()
        }


@on(*DRIVERS, observing=PROBED)
def test_the_culprit_is_named_where_the_victim_is_explained(case: Case) -> None:
    with all_three(case):

        def locked() -> bool:
            held = {each.hold.holder: each for each in case.observer.explain().holds}
            diagnosis = held[PAY].diagnosis
            return diagnosis is not None and diagnosis.kind is Trouble.LOCKED

        case.wait_until(locked)
        said = str(case.observer.explain())
        assert f"waiting for a lock of {CHAT} (process " in said
        assert "1 session waits for its locks" in said


@on(*DRIVERS, observing=PROBED)
def test_no_statement_is_in_anything_that_is_known(case: Case) -> None:
    with all_three(case):
        said = repr(case.state()) + str(case.observer.explain())
        assert "SLEEP" not in said.upper()
        assert "BALANCE" not in said.upper()


@on(*DRIVERS, observing=PROBED)
def test_sessions_of_other_roles_are_others(case: Case) -> None:
    key = Owner.OTHERS, SessionState.IDLE
    with case.engine.connect(), visiting(case.server) as visitor:
        case.wait_until(lambda: server_of(case).sessions.get(key) == 0)
        with visitor.connect():
            case.wait_until(lambda: server_of(case).sessions.get(key) == 1)
        case.wait_until(lambda: server_of(case).sessions.get(key) == 0)
    ours = server_of(case).sessions[Owner.OURS, SessionState.IDLE]
    assert ours == 2  # the probe's, and the one that is held


@on(*DRIVERS, observing=PROBED)
def test_a_transaction_that_locks_nothing_yet_is_idle_to_the_server(case: Case) -> None:
    """InnoDB has a transaction from the first table on that it reads."""
    with case.engine.connect() as connection:
        for statement, state in (
            ("SELECT 1", SessionState.IDLE),
            ("SELECT * FROM account", SessionState.IDLE_IN_TRANSACTION),
        ):
            connection.execute(text(statement))
            case.wait_until(lambda: server_of(case).holds != ())
            case.wait_until(lambda: server_of(case).holds[0].session.state is state)  # noqa: B023
        connection.rollback()
        case.wait_until(lambda: server_of(case).holds[0].session.state is SessionState.IDLE)


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
def test_a_role_of_the_probes_own_sees_what_the_applications_may_not(
    driver: Driver, mariadb: MariadbServer
) -> None:
    """By the other name of this kind of server, too."""

    def body(case: Case) -> None:
        with holding(CHAT), case.engine.connect() as connection:
            connection.execute(CHANGE)
            key = Owner.OURS, SessionState.IDLE_IN_TRANSACTION
            case.wait_until(lambda: server_of(case).sessions.get(key) == 1)
            [hold] = server_of(case).holds
            assert hold.session.user == "visitor"
            assert hold.session.state is SessionState.IDLE_IN_TRANSACTION
            connection.rollback()

    probe = ServerProbe(url=mariadb.url(driver), interval=OFTEN)
    with account(mariadb) as name:
        url = mariadb.url(driver).set(drivername=f"mariadb+{driver.name}", username=name)
        Case(driver, mariadb, {"url": url}).run(body, server_probe=probe)
