"""A real PostgreSQL server for tests: starts in under a second, without root or Docker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy.engine import URL, make_url

from pool_observer.demo.database import embedded_postgres


class Postgres:
    def __init__(self, server: Any) -> None:
        self._server = server
        # Its first start was told on the command line where to listen; a later one reads it here.
        address = self.url("psycopg")
        self._configure(
            fsync="off",
            listen_addresses=address.host or "",
            max_prepared_transactions=10,
            port=address.port or 5432,
            unix_socket_directories=address.query.get("host", ""),
        )

    def url(self, driver: str) -> URL:
        """How to reach it, through a driver such as `asyncpg`."""
        url = make_url(self._server.get_uri())
        if driver == "asyncpg":
            # asyncpg is told about sockets by `host` as well.
            return url.set(drivername="postgresql+asyncpg")
        return url.set(drivername=f"postgresql+{driver}")

    def stop(self) -> None:
        """Cut every connection, as a crash would."""
        self._pg_ctl("stop", "-m", "immediate")

    def start(self) -> None:
        self._pg_ctl("start", "-l", str(self._server.log))

    def _configure(self, **settings: object) -> None:
        for name, value in settings.items():
            self._server.psql(f"ALTER SYSTEM SET {name} = '{value}'")
        self._pg_ctl("restart", "-l", str(self._server.log))

    def _pg_ctl(self, *arguments: str) -> None:
        from embedded_postgres import pg_ctl  # type: ignore[attr-defined]

        pg_ctl(["-w", *arguments], pgdata=self._server.pgdata, user=self._server.system_user)


@contextmanager
def started_postgres() -> Iterator[Postgres]:
    with embedded_postgres() as server:
        postgres = Postgres(server)
        try:
            yield postgres
        finally:
            # The package stops the process that it has started, and this is another by now.
            with suppress(Exception):  # a test has stopped it
                postgres.stop()
