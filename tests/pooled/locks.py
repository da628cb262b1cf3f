"""A statement that lasts for as long as the test wants: somebody else has the lock it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from tests.postgres import Postgres

KEY = 7
LOCK = text(f"SELECT pg_advisory_xact_lock({KEY})")

_WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


class Locked:
    """The lock, in the hands of a connection that goes straight to PostgreSQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(text(f"SELECT pg_advisory_lock({KEY})"))

    def waiting(self) -> int:
        """How many sessions of the server wait for it."""
        return int(self._connection.scalar(_WAITING) or 0)

    def release(self) -> None:
        self._connection.execute(text("SELECT pg_advisory_unlock_all()"))


@contextmanager
def locked(postgres: Postgres) -> Iterator[Locked]:
    """The lock is taken, until `release()` or the end."""
    engine = create_engine(
        postgres.url("psycopg"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:  # closing it gives the lock up
        yield Locked(connection)
