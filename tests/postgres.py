"""A real PostgreSQL server for tests: starts in under a second, without root or Docker."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy.engine import URL

from pool_observer.demo import database
from pool_observer.demo.keeping import kept_folder


class Postgres:
    def __init__(self, server: database.Postgres) -> None:
        self._server = server
        self._running = ExitStack()

    def url(self, driver: str) -> URL:
        """How to reach it, through a driver such as `asyncpg`."""
        return self._server.url().set(drivername=f"postgresql+{driver}")

    def stop(self) -> None:
        """Cut every connection, as a crash would."""
        self._running.close()

    def start(self) -> None:
        running = self._server.running(end_with=signal.SIGQUIT, max_prepared_transactions=10)
        self._running.enter_context(running)


@contextmanager
def started_postgres() -> Iterator[Postgres]:
    with kept_folder() as folder:
        postgres = Postgres(database.Postgres(folder))
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
