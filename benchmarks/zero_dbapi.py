"""A DBAPI module whose every call does nothing: what remains is SQLAlchemy, and its observers.

Shaped for SQLAlchemy's `sqlite` dialect, which asks nothing of the server when it connects.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"
sqlite_version = "3.45.0"
sqlite_version_info = (3, 45, 0)
version_info = (2, 6, 0)


class Error(Exception):
    """Never raised, like all below; SQLAlchemy looks them up by name."""


class InterfaceError(Error): ...


class DatabaseError(Error): ...


class OperationalError(DatabaseError): ...


class ProgrammingError(DatabaseError): ...


class IntegrityError(DatabaseError): ...


class DataError(DatabaseError): ...


class InternalError(DatabaseError): ...


class NotSupportedError(DatabaseError): ...


class Cursor:
    """The result of every statement: no rows, and no columns either."""

    __slots__ = ()

    description = None
    rowcount = 0
    lastrowid = None

    def execute(self, statement: str, parameters: Any = None) -> None: ...

    def executemany(self, statement: str, parameters: Any = None) -> None: ...

    def fetchone(self) -> None: ...

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return []

    def fetchall(self) -> list[Any]:
        return []

    def close(self) -> None: ...


_CURSOR = Cursor()


class Connection:
    """A connection to nothing."""

    # An empty level means that transactions are on; None would mean AUTOCOMMIT.
    isolation_level = ""

    def cursor(self) -> Cursor:
        # One for all, as it has no state: making cursors is the driver's cost, not ours.
        return _CURSOR

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...

    def create_function(self, *_: Any, **__: Any) -> None: ...


def connect(*_: Any, **__: Any) -> Connection:
    """Open a connection to nothing."""
    return Connection()


def zero_engine(pool_size: int = 5) -> Engine:
    """An engine on this module, with SQLAlchemy's usual pool."""
    import benchmarks.zero_dbapi as module

    return create_engine(
        "sqlite:///zero", module=module, poolclass=QueuePool, pool_size=pool_size, max_overflow=0
    )
