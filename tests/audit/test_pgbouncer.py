"""What the audit says of prepared statements is what a PgBouncer in transaction mode does."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg  # noqa: F401  its version is looked at
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pool_observer.audit.auditing import audit
from pool_observer.audit.facts import Deployment
from pool_observer.audit.finding import Finding, Severity
from pool_observer.diagnosing import version_of
from pool_observer.probe.starting import look_once
from tests.pgbouncer import PgBouncer

NAMED: dict[str, Any] = {"prepared_statement_name_func": lambda: f"__{uuid4()}__"}
UNNAMED: dict[str, Any] = {"statement_cache_size": 0}
NAMELESS: dict[str, Any] = {"prepared_statement_name_func": lambda: ""}
NEITHER: dict[str, Any] = {"prepared_statement_cache_size": 0}


IS_OLD = (version_of("asyncpg") or (0, 31)) < (0, 31)


async def two_transactions_on_two_servers(engine: AsyncEngine) -> None:
    """The same statement twice, while somebody else has the server of the first time."""
    statement = text("SELECT 1")
    try:
        async with engine.connect() as connection, engine.connect() as other:
            await connection.execute(statement)
            await connection.commit()
            await other.execute(text("SELECT 2"))
            await connection.execute(statement)
    finally:
        await engine.dispose()


def found(engine: AsyncEngine, **arguments: Any) -> list[Finding]:
    return [each for each in audit(engine, **arguments) if each.code == "prepared-statements"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(UNNAMED, marks=pytest.mark.skipif(IS_OLD, reason="this asyncpg gives names")),
        UNNAMED | NAMELESS,
        UNNAMED | NEITHER,
        NAMED | UNNAMED | NEITHER,
    ],
)
def test_what_is_not_found_works(pgbouncer: PgBouncer, arguments: dict[str, Any]) -> None:
    engine = create_async_engine(pgbouncer.url("asyncpg"), connect_args=arguments)
    assert found(engine, deployment=Deployment(pgbouncer=True)) == []
    asyncio.run(two_transactions_on_two_servers(engine))


@pytest.mark.parametrize("arguments", [{}, NAMED, NAMED | UNNAMED, NAMELESS])
def test_what_is_found_fails(pgbouncer: PgBouncer, arguments: dict[str, Any]) -> None:
    engine = create_async_engine(pgbouncer.url("asyncpg"), connect_args=arguments)
    (finding,) = found(engine, deployment=Deployment(pgbouncer=True))
    assert finding.severity is Severity.ERROR
    with pytest.raises(DBAPIError, match=r"does not exist|already exists"):
        asyncio.run(two_transactions_on_two_servers(engine))


def test_a_pooler_that_nobody_has_mentioned_is_seen(pgbouncer: PgBouncer) -> None:
    engine = create_async_engine(pgbouncer.url("asyncpg"), connect_args=UNNAMED)
    kept = create_async_engine(pgbouncer.url("asyncpg"))
    server = look_once(engine)
    assert server is not None
    assert found(engine, server=server) == []
    (finding,) = found(kept, server=server)
    assert finding.severity is Severity.INFO
