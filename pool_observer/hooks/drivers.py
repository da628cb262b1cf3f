"""Which server process is behind a connection, according to its driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.pool import Pool

_ASK: dict[str, Callable[[Any], int]] = {
    "asyncpg": lambda connection: connection.get_server_pid(),
    "psycopg": lambda connection: connection.pgconn.backend_pid,
    "psycopg2": lambda connection: connection.get_backend_pid(),
    "mysqldb": lambda connection: connection.thread_id(),
    "pymysql": lambda connection: connection.thread_id(),
    "aiomysql": lambda connection: connection.thread_id(),
    "asyncmy": lambda connection: connection.thread_id(),
}
"""Each answers from memory; none asks the server."""


def backend_pid(pool: Pool | None, record: Any) -> int | None:
    """The backend PID, or None where the driver does not tell. Never raises."""
    try:
        driver = getattr(getattr(pool, "_dialect", None), "driver", "")
        return pid_of(driver, record.driver_connection)
    except Exception:  # a test's stand-in
        return None


def pid_of(driver: str, connection: Any) -> int | None:
    """The backend PID of a driver's connection, or None where it does not tell. Never raises."""
    try:
        ask = _ASK.get(driver)
        pid = ask(connection) if ask else None
    except Exception:  # a driver of that name with another interface
        return None
    return pid if isinstance(pid, int) else None
