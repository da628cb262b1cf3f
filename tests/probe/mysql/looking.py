"""One look at a MariaDB, and sessions that it may see."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from pool_observer.probe.mysql import read
from pool_observer.probe.reading import Reading, Row
from tests.databases.servers import MariadbServer
from tests.support import wait_until

FRESH = 0.11
"""InnoDB tells the same again until nobody has asked for a tenth of a second."""

CHANGE = "UPDATE account SET balance = 1 WHERE id = 1"
SHARE = "SELECT * FROM account WHERE id = 1 LOCK IN SHARE MODE"


def look(engine: Engine) -> Reading:
    """What the probe would read, connected as this engine is."""
    time.sleep(FRESH)
    with engine.connect() as connection:
        cursor = autocommitting(connection).connection.cursor()
        reading = read(cursor, 5.0)
        cursor.close()
        return reading


def autocommitting(connection: Connection) -> Connection:
    return connection.execution_options(isolation_level="AUTOCOMMIT")


def pid_of(connection: Connection) -> int:
    driver_connection = connection.connection.driver_connection
    assert driver_connection is not None
    pid = driver_connection.thread_id()
    assert isinstance(pid, int)
    return pid


def row_of(reading: Reading, pid: int) -> Row:
    [row] = [row for row in reading.rows if row.pid == pid]
    return row


@contextmanager
def in_transaction(engine: Engine, *statements: str) -> Iterator[int]:
    """A session that has done this, and not committed."""
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        try:
            yield pid_of(connection)
        finally:
            connection.rollback()


@contextmanager
def waiting(engine: Engine, statement: str, server: MariadbServer) -> Iterator[int]:
    """A session that executes this, and cannot."""
    with engine.connect() as connection:
        pid = pid_of(connection)

        def work() -> None:
            with suppress(DBAPIError):  # not each of them minds being interrupted
                connection.execute(text(statement))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            wait_until(lambda: row_of(look(engine), pid).waits_for is not None)
            yield pid
        finally:
            server.ask(f"KILL QUERY {pid:d}")
            thread.join()
