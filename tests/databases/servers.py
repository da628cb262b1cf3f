"""What tests do to a database behind its drivers' back: look at it, and interrupt it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import NullPool

from tests.databases.drivers import MARIADB, POSTGRESQL, Driver
from tests.postgres import Postgres


class Server(Protocol):
    def url(self, driver: Driver) -> URL: ...

    def prepare(self, engine: Engine) -> None:
        """Give an engine's connections what the statements of the tests need."""

    def is_busy(self) -> bool:
        """Whether the endless statement is being executed now."""

    def interrupt(self) -> None:
        """Make the endless statement fail."""

    def kill(self, backend_pid: int) -> None:
        """End a connection from the server's side, and see that it has ended."""

    def ask(self, statement: str, **parameters: object) -> list[Any]:
        """The first column of what a statement says on an unobserved connection."""


class _Administered:
    """A server to which we have a connection of our own, that nobody observes."""

    def __init__(self, url: URL) -> None:
        self._administrator = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def prepare(self, engine: Engine) -> None:
        pass

    def ask(self, statement: str, **parameters: object) -> list[Any]:
        with self._administrator.connect() as connection:
            result = connection.execute(text(statement), parameters)
            return list(result.scalars()) if result.returns_rows else []


class PostgresServer(_Administered):
    def __init__(self, postgres: Postgres) -> None:
        super().__init__(postgres.url("psycopg"))
        self.postgres = postgres

    def url(self, driver: Driver) -> URL:
        return self.postgres.url(driver.name)

    # Asleep, not merely active: asyncpg has a statement prepared before it has it executed, and
    # an interruption in between would be lost.
    _BUSY = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query = :query"

    def is_busy(self) -> bool:
        return bool(self.ask(f"SELECT pid {self._BUSY}", query=POSTGRESQL.endless))

    def interrupt(self) -> None:
        self.ask(f"SELECT pg_cancel_backend(pid) {self._BUSY}", query=POSTGRESQL.endless)

    def kill(self, backend_pid: int) -> None:
        # With a time-out it waits until the process is gone.
        assert self.ask("SELECT pg_terminate_backend(:pid, 10000)", pid=backend_pid) == [True]


class MariadbServer(_Administered):
    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self._url = url

    def url(self, driver: Driver) -> URL:
        return self._url.set(drivername=f"mysql+{driver.name}")

    def _busy(self) -> list[int]:
        return self.ask(
            "SELECT id FROM information_schema.processlist WHERE info = :query",
            query=MARIADB.endless,
        )

    def is_busy(self) -> bool:
        return bool(self._busy())

    def interrupt(self) -> None:
        for thread in self._busy():
            self.ask(f"KILL QUERY {thread:d}")

    def kill(self, backend_pid: int) -> None:
        self.ask(f"KILL HARD CONNECTION {backend_pid:d}")
        remains = "SELECT count(*) FROM information_schema.processlist WHERE id = :id"
        for _ in range(1000):
            if self.ask(remains, id=backend_pid) == [0]:
                return
            time.sleep(0.01)
        raise AssertionError(f"the server still serves {backend_pid}")


class SqliteFile:
    """A database in a file, with functions that take time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._started = threading.Event()
        self._interrupted = threading.Event()

    def url(self, driver: Driver) -> URL:
        return URL.create(f"sqlite+{driver.name}", database=str(self._path))

    def prepare(self, engine: Engine) -> None:
        @event.listens_for(engine, "connect")
        def add_functions(dbapi_connection: Any, _: object) -> None:
            dbapi_connection.create_function("pause", 1, time.sleep)
            dbapi_connection.create_function("endless", 0, self._endless)

    def _endless(self) -> None:
        self._started.set()
        self._interrupted.wait(30)
        self._started.clear()
        self._interrupted.clear()
        raise InterruptedError

    def is_busy(self) -> bool:
        return self._started.is_set()

    def interrupt(self) -> None:
        self._interrupted.set()

    def kill(self, backend_pid: int) -> None:
        raise NotImplementedError("there is no server")

    def ask(self, statement: str, **parameters: object) -> list[Any]:
        engine = create_engine(URL.create("sqlite", database=str(self._path)), poolclass=NullPool)
        with engine.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return list(result.scalars()) if result.returns_rows else []


@contextmanager
def restarted_afterwards(server: Server) -> Iterator[PostgresServer]:
    """For a test that stops the server: it runs again when the test is over."""
    assert isinstance(server, PostgresServer)
    try:
        yield server
    finally:
        try:
            server.ask("SELECT 1")
        except Exception:
            server.postgres.start()


def sync_of(engine: Engine | AsyncEngine) -> Engine:
    return engine.sync_engine if isinstance(engine, AsyncEngine) else engine
