"""What MySQL and MariaDB say of their sessions.

Every statement has a time-out that ends with it, and nothing is set on the session. No
statement's text is asked for. What the role may not see is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pool_observer.probe.reading import Reading, Row
from pool_observer.server import ServerLimits, SessionState

Rows = Sequence[Sequence[Any]]

# The server tells only of those that it has, so that none of them is an error.
_VARIABLES = """
SHOW SESSION VARIABLES WHERE Variable_name IN (
    'idle_transaction_timeout', 'max_connections', 'max_statement_time', 'max_user_connections',
    'performance_schema', 'performance_schema_show_processlist'
)
"""

# The server's own threads take up no connection: daemons, a replica's, and those of events, which
# have a name while they connect. Who logs in takes one up, and so does who is sent the binary log.
_SESSIONS = """
    ID, USER, DB, COMMAND, {seconds}, STATE
FROM {table}
WHERE COMMAND <> 'Daemon' AND USER <> 'system user'
  AND (COMMAND <> 'Connect' OR USER = 'unauthenticated user')
"""

# InnoDB writes this time down in the zone of the machine, whatever the session's is.
_TRANSACTIONS = """
    trx_id, trx_mysql_thread_id, trx_state = 'LOCK WAIT', trx_lock_structs > 0,
    TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', '+00:00'), UTC_TIMESTAMP())
FROM information_schema.INNODB_TRX
"""

_WAITS_OF_MARIADB = """
    DISTINCT requesting_trx_id, blocking_trx_id FROM information_schema.INNODB_LOCK_WAITS
"""
_WAITS_OF_MYSQL = """
    DISTINCT REQUESTING_ENGINE_TRANSACTION_ID, BLOCKING_ENGINE_TRANSACTION_ID
FROM performance_schema.data_lock_waits
"""

_NOT_FOR_THIS_ROLE = {1044, 1109, 1142, 1146, 1227}
"""Errors that say that there is no such privilege, or no such table."""

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class _Transaction:
    """A transaction of InnoDB's that is open."""

    key: int
    thread: int
    """0 of one that is prepared, and whose session has gone."""
    waits: bool
    has_locks: bool
    seconds: float | None


class Asking:
    """Asks what there is to select, in the way of this kind of server."""

    def __init__(self, cursor: Any, timeout: float) -> None:
        self._cursor = cursor
        cursor.execute(_VARIABLES)
        self.variables = {_text(name): _text(value) for name, value in cursor.fetchall()}
        self.is_mariadb = "max_statement_time" in self.variables
        milliseconds = max(1, int(timeout * _MILLISECONDS))
        self._select = (
            f"SET STATEMENT max_statement_time = {milliseconds / _MILLISECONDS:.3f} FOR SELECT"
            if self.is_mariadb
            else f"SELECT /*+ MAX_EXECUTION_TIME({milliseconds}) */"
        )

    def select(self, what: str) -> Rows:
        self._cursor.execute(f"{self._select} {what}")
        rows: Rows = self._cursor.fetchall()
        return rows

    def select_if_allowed(self, what: str) -> Rows:
        """Nothing where the role may not see it, or this server does not have it."""
        try:
            return self.select(what)
        except Exception as error:
            if error.args[:1] and error.args[0] in _NOT_FOR_THIS_ROLE:
                return ()
            raise


def read(cursor: Any, timeout: float) -> Reading:
    """Ask everything, through a DBAPI cursor of a connection that commits by itself."""
    ask = Asking(cursor, timeout)
    pid = int(ask.select("CONNECTION_ID()")[0][0])
    transactions = _transactions(ask)
    blockers = _blockers(ask, transactions)
    by_thread = {transaction.thread: transaction for transaction in transactions}
    rows = tuple(_row(by_thread, blockers, *row) for row in _sessions(ask, pid))
    return Reading(pid, rows, _limits(ask.variables))


def _limits(variables: Mapping[str | None, str | None]) -> ServerLimits:
    """None is reserved: the one for administrators is beyond `max_connections`."""
    most, of_the_role, idle_in_transaction = (
        int(variables.get(name) or 0)
        for name in ("max_connections", "max_user_connections", "idle_transaction_timeout")
    )
    return ServerLimits(
        max_connections=most or None,
        role=of_the_role if of_the_role > 0 else None,  # of this account, or else of every one
        idle_in_transaction_timeout=idle_in_transaction or None,
    )


def _sessions(ask: Asking, pid: int) -> Rows:
    table = "information_schema.PROCESSLIST"
    if ask.is_mariadb:
        return ask.select(_SESSIONS.format(seconds=f"TIME_MS / {_MILLISECONDS}", table=table))
    if (
        ask.variables.get("performance_schema") == "ON"
        and "performance_schema_show_processlist" in ask.variables
    ):
        # Preferred, as the other list takes a lock that everybody needs who connects. But here
        # are only threads that are instrumented: all of them, or as it has been set up.
        rows = ask.select_if_allowed(
            _SESSIONS.format(seconds="TIME", table="performance_schema.processlist")
        )
        if any(int(row[0]) == pid for row in rows):
            return rows
    return ask.select(_SESSIONS.format(seconds="TIME", table=table))


def _transactions(ask: Asking) -> list[_Transaction]:
    return [
        _Transaction(int(key), int(thread), bool(int(waits)), bool(int(has_locks)), _age(seconds))
        for key, thread, waits, has_locks, seconds in ask.select_if_allowed(_TRANSACTIONS)
    ]


def _blockers(ask: Asking, transactions: Iterable[_Transaction]) -> dict[int, list[int]]:
    """By thread, the threads that have the lock that it waits for."""
    waiting: dict[int, list[int]] = {}
    having: dict[int, list[int]] = {}
    for transaction in transactions:
        if transaction.waits:
            waiting.setdefault(transaction.key, []).append(transaction.thread)
        if transaction.has_locks:
            having.setdefault(transaction.key, []).append(transaction.thread)
    blockers: dict[int, list[int]] = {}
    if not waiting:
        return blockers  # asking would take the locks of the lock manager
    waits = _WAITS_OF_MARIADB if ask.is_mariadb else _WAITS_OF_MYSQL
    for requesting, blocking in ask.select_if_allowed(waits):
        # In MariaDB all that have not written yet share a key. Rather nobody than the wrong one.
        waiters, holders = waiting.get(int(requesting), []), having.get(int(blocking), [])
        if len(waiters) == len(holders) == 1:
            blockers.setdefault(waiters[0], []).append(holders[0])
    return blockers


def _row(
    transactions: Mapping[int, _Transaction],
    blockers: Mapping[int, Sequence[int]],
    thread: Any,
    user: Any,
    database: Any,
    command: Any,
    seconds: Any,
    stage: Any,
) -> Row:
    pid = int(thread)
    transaction = transactions.get(pid)
    idle = _text(command) == "Sleep"
    state = SessionState.ACTIVE
    if idle:
        state = SessionState.IDLE_IN_TRANSACTION if transaction else SessionState.IDLE
    return Row(
        pid=pid,
        user=_text(user),
        database=_text(database),
        application=None,
        state=state,
        state_seconds=_age(seconds),
        transaction_seconds=None if transaction is None else transaction.seconds,
        waits_for=None if idle else _waits_for(transaction, _text(stage) or ""),
        blocked_by=() if idle else tuple(blockers.get(pid, ())),
    )


def _waits_for(transaction: _Transaction | None, stage: str) -> str | None:
    if transaction is not None and transaction.waits:
        return "InnoDB lock"
    if stage == "User lock":  # of GET_LOCK()
        return stage
    waits_for = stage.removeprefix("Waiting for ")
    return None if waits_for == stage else waits_for


def _age(seconds: Any) -> float | None:
    """An age; the server's clock may be set back meanwhile."""
    return None if seconds is None else max(0.0, float(seconds))


def _text(value: str | bytes | None) -> str | None:
    """As drivers have it: some say bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value
