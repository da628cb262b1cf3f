"""The drivers under test, and how each database spells what the tests need of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backend:
    """A kind of database."""

    name: str
    own_id: str
    """Asks the server which of its processes or threads serves this connection."""
    pause: str
    """A statement that takes at least `:seconds`."""
    endless: str
    """A statement that runs until `Server.interrupt()`: in case of need, for half a minute."""
    slow_rows: str
    """Sixty rows, each of which takes the server `:seconds` to come up with.

    asyncpg's dialect asks for fifty at a time.
    """


POSTGRESQL = Backend(
    name="postgresql",
    own_id="SELECT pg_backend_pid()",
    pause="SELECT pg_sleep(:seconds)",
    endless="SELECT pg_sleep(30)",
    slow_rows="SELECT i, pg_sleep(:seconds) FROM generate_series(1, 60) AS i",
)
MARIADB = Backend(
    name="mysql",
    own_id="SELECT CONNECTION_ID()",
    pause="SELECT SLEEP(:seconds)",
    endless="SELECT SLEEP(30)",
    slow_rows="SELECT seq, SLEEP(:seconds) FROM seq_1_to_60",
)
SQLITE = Backend(
    name="sqlite",
    own_id="SELECT NULL",  # there is no server
    pause="SELECT pause(:seconds)",
    endless="SELECT endless()",
    slow_rows=(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
        "SELECT i, pause(:seconds) FROM n"
    ),
)


@dataclass(frozen=True)
class Driver:
    """A way to reach a database."""

    name: str
    backend: Backend
    is_async: bool
    module: str

    def __str__(self) -> str:
        return f"{self.module}_async" if self.name == "psycopg_async" else self.module


ASYNCPG = Driver("asyncpg", POSTGRESQL, is_async=True, module="asyncpg")
PSYCOPG = Driver("psycopg", POSTGRESQL, is_async=False, module="psycopg")
PSYCOPG_ASYNC = Driver("psycopg_async", POSTGRESQL, is_async=True, module="psycopg")
PSYCOPG2 = Driver("psycopg2", POSTGRESQL, is_async=False, module="psycopg2")
PYSQLITE = Driver("pysqlite", SQLITE, is_async=False, module="sqlite3")
AIOSQLITE = Driver("aiosqlite", SQLITE, is_async=True, module="aiosqlite")
AIOMYSQL = Driver("aiomysql", MARIADB, is_async=True, module="aiomysql")
PYMYSQL = Driver("pymysql", MARIADB, is_async=False, module="pymysql")

ON_POSTGRESQL = (ASYNCPG, PSYCOPG, PSYCOPG_ASYNC, PSYCOPG2)
WITH_A_SERVER = (*ON_POSTGRESQL, AIOMYSQL, PYMYSQL)
EVERY = (*WITH_A_SERVER, PYSQLITE, AIOSQLITE)
ASYNC = tuple(driver for driver in EVERY if driver.is_async)
SYNC = tuple(driver for driver in EVERY if not driver.is_async)
