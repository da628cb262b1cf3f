"""How MySQL 8 is asked, which MariaDB cannot stand in for: by a cursor that answers as its
manual says it does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pool_observer.probe.mysql import read
from pool_observer.server import SessionState

PID = 9

SETTINGS = {
    "max_connections": "151",
    "max_user_connections": "20",
    "performance_schema": "ON",
    "performance_schema_show_processlist": "OFF",
}
SESSIONS = [
    (PID, "app", "orders", "Query", -1, "executing"),
    (10, b"app", b"orders", b"Sleep", Decimal(40), b""),
    ("11", "app", "orders", "Execute", "3", "updating"),
    (12, "replica", None, "Binlog Dump GTID", 900, "Source has sent all binlog to replica"),
    (13, "unauthenticated user", None, "Connect", None, None),
]
TRANSACTIONS = [
    ("1801", 10, 0, 1, Decimal(41)),
    (b"1802", 11, Decimal(1), "1", "2"),
    ("421746593481736", 12, "0", b"0", None),
]
WAITS = [(1802, 1801)]

LIST, OLD_LIST = "FROM performance_schema.processlist", "FROM information_schema.PROCESSLIST"
OPEN, LOCKS = "FROM information_schema.INNODB_TRX", "FROM performance_schema.data_lock_waits"


class DriverError(Exception):
    pass


class Cursor:
    """Answers by what is asked for; with an error, if that is the answer."""

    def __init__(self, **settings: str) -> None:
        self.answers: dict[str, Any] = {
            "SHOW SESSION VARIABLES": list((SETTINGS | settings).items()),
            "CONNECTION_ID()": [(PID,)],
            LIST: SESSIONS,
            OLD_LIST: SESSIONS,
            OPEN: TRANSACTIONS,
            LOCKS: WAITS,
        }
        self.asked: list[str] = []
        self._rows: Any = None

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        [self._rows] = [rows for what, rows in self.answers.items() if what in statement]
        if isinstance(self._rows, Exception):
            raise self._rows

    def fetchall(self) -> Any:
        return self._rows

    def was_asked(self, what: str) -> bool:
        return any(what in statement for statement in self.asked)


def test_a_session_is_what_the_lists_together_say() -> None:
    reading = read(Cursor(), 5.0)
    assert reading.pid == PID
    rows = {row.pid: row for row in reading.rows}
    assert [(pid, row.state) for pid, row in rows.items()] == [
        (PID, SessionState.ACTIVE),
        (10, SessionState.IDLE_IN_TRANSACTION),
        (11, SessionState.ACTIVE),
        (12, SessionState.ACTIVE),
        (13, SessionState.ACTIVE),
    ]
    assert rows[PID].state_seconds == 0.0  # its clock was set back
    assert (rows[10].user, rows[10].database) == ("app", "orders")
    assert (rows[10].state_seconds, rows[10].transaction_seconds) == (40.0, 41.0)
    assert (rows[11].state_seconds, rows[11].transaction_seconds) == (3.0, 2.0)
    assert (rows[11].waits_for, rows[11].blocked_by) == ("InnoDB lock", (10,))
    assert (rows[12].waits_for, rows[12].transaction_seconds) == (None, None)
    assert rows[13].state_seconds is None


def test_who_has_got_its_lock_between_two_questions_waits_no_more() -> None:
    cursor = Cursor()
    cursor.answers[LIST] = [(PID, *SESSIONS[0][1:]), (11, "app", "orders", "Sleep", 0, "")]
    row = read(cursor, 5.0).rows[1]
    assert row.state is SessionState.IDLE_IN_TRANSACTION
    assert (row.waits_for, row.blocked_by) == (None, ())


def test_limits_are_the_servers_and_the_accounts() -> None:
    limits = read(Cursor(), 5.0).limits
    assert (limits.max_connections, limits.reserved, limits.role) == (151, 0, 20)
    assert limits.idle_in_transaction_timeout is None
    assert limits.usable == 20


def test_every_question_has_a_time_out_that_ends_with_it() -> None:
    cursor = Cursor()
    read(cursor, 2.5)
    settings, *questions = cursor.asked
    assert settings.strip().startswith("SHOW ")
    assert len(questions) == 4
    for question in questions:
        assert question.startswith("SELECT /*+ MAX_EXECUTION_TIME(2500) */ ")


def test_locks_are_not_asked_for_while_nobody_waits() -> None:
    cursor = Cursor()
    cursor.answers[OPEN] = TRANSACTIONS[:1]
    assert all(row.blocked_by == () for row in read(cursor, 5.0).rows)
    assert not cursor.was_asked(LOCKS)


def test_the_list_that_makes_nobody_wait_is_preferred() -> None:
    cursor = Cursor()
    read(cursor, 5.0)
    assert cursor.was_asked(LIST)
    assert not cursor.was_asked(OLD_LIST)


@pytest.mark.parametrize("without", ["switched off", "older", "not instrumented", "not allowed"])
def test_the_old_list_will_do(without: str) -> None:
    cursor = Cursor(performance_schema="OFF" if without == "switched off" else "ON")
    if without == "older":
        del cursor.answers[LIST]
        settings = dict(cursor.answers["SHOW SESSION VARIABLES"])
        del settings["performance_schema_show_processlist"]
        cursor.answers["SHOW SESSION VARIABLES"] = list(settings.items())
    elif without == "not instrumented":
        cursor.answers[LIST] = SESSIONS[1:]
    elif without == "not allowed":
        cursor.answers[LIST] = DriverError(1142, "SELECT command denied")
    reading = read(cursor, 5.0)
    assert len(reading.rows) == len(SESSIONS)
    assert cursor.was_asked(OLD_LIST)


def test_without_a_look_at_locks_the_culprit_is_not_named() -> None:
    cursor = Cursor()
    cursor.answers[LOCKS] = DriverError(1142, "SELECT command denied")
    rows = {row.pid: row for row in read(cursor, 5.0).rows}
    assert (rows[11].waits_for, rows[11].blocked_by) == ("InnoDB lock", ())
    assert rows[10].state is SessionState.IDLE_IN_TRANSACTION


def test_without_a_look_at_transactions_a_session_is_idle_or_active() -> None:
    cursor = Cursor()
    cursor.answers[OPEN] = DriverError(1227, "Access denied; you need the PROCESS privilege")
    rows = read(cursor, 5.0).rows
    assert {row.state for row in rows} == {SessionState.IDLE, SessionState.ACTIVE}
    assert all(row.transaction_seconds is None for row in rows)
    assert not cursor.was_asked(LOCKS)


@pytest.mark.parametrize("what", [LIST, OPEN, LOCKS])
@pytest.mark.parametrize(
    "error", [DriverError(3024, "took too long"), DriverError(2013, "lost"), DriverError()]
)
def test_any_other_failure_is_one(what: str, error: Exception) -> None:
    cursor = Cursor()
    cursor.answers[what] = error
    with pytest.raises(DriverError):
        read(cursor, 5.0)
