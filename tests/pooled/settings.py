"""What engines have to be told for PgBouncer in transaction mode, as docs/pgbouncer.md says."""

from __future__ import annotations

from typing import Any

from tests.databases.drivers import ASYNCPG, PSYCOPG, PSYCOPG2, PSYCOPG_ASYNC, Driver

CONNECT_ARGS: dict[Driver, dict[str, Any]] = {
    ASYNCPG: {"statement_cache_size": 0, "prepared_statement_name_func": lambda: ""},
    PSYCOPG: {"prepare_threshold": None},
    PSYCOPG_ASYNC: {"prepare_threshold": None},
    PSYCOPG2: {},
}
