"""Rules about what the driver and the server have been told."""

from __future__ import annotations

from pool_observer.audit.facts import ConnectArguments, Facts, PoolKind
from pool_observer.audit.finding import Severity, Verdict
from pool_observer.diagnosing import Version

_ASYNCPG_KEEPS = 100
"""Statements that asyncpg, and SQLAlchemy for it, keep unless they are told otherwise."""

_NAMES_NOTHING_UNASKED: Version = (0, 31)
"""The asyncpg from which on a statement that is not kept has no name; older ones give it one."""


def prepared_statements(facts: Facts) -> Verdict | None:
    """Prepared statements that a pooler gives to somebody else."""
    deployment, arguments = facts.deployment, facts.arguments
    pooled = facts.pooler_seen if deployment.pgbouncer is None else deployment.pgbouncer
    if not pooled or deployment.pgbouncer_keeps_statements or arguments is None:
        return None
    if facts.settings.driver == "asyncpg":
        if _nothing_is_found_again(arguments, facts.kind):
            return None
        sizes = (arguments.statement_cache_size, arguments.prepared_statement_cache_size)
        own, dialects = (_ASYNCPG_KEEPS if size is None else size for size in sizes)
        what = (
            f"asyncpg keeps prepared statements (statement_cache_size={own}), and so does "
            f"SQLAlchemy for it (prepared_statement_cache_size={dialects})"
        )
        mend = (
            "create_async_engine(..., connect_args="
            '{"statement_cache_size": 0, "prepared_statement_name_func": lambda: ""})'
        )
    elif facts.settings.driver in ("psycopg", "psycopg_async"):
        if arguments.prepares_never:
            return None
        what = "psycopg prepares what it has executed a few times (prepare_threshold)"
        mend = 'connect_args={"prepare_threshold": None}'
    else:
        return None
    sure = deployment.pgbouncer is True
    why = (
        f"{what}. In transaction mode the next transaction may be on another server connection, "
        "which does not know them, or knows another by that name: `prepared statement does not "
        "exist`, or `already exists`."
    )
    if not sure:
        why = f"The server is behind a pooler. If that is in transaction mode: {why}"
    return Verdict(
        Severity.ERROR if sure else Severity.INFO,
        "prepared statements do not survive PgBouncer in transaction mode",
        why,
        f"{mend}; or PgBouncer 1.21 and newer with max_prepared_statements above 0, and "
        "Deployment(pgbouncer_keeps_statements=True)",
    )


def _nothing_is_found_again(arguments: ConnectArguments, kind: PoolKind) -> bool:
    """Whether no transaction uses what another has prepared with asyncpg."""
    unkept = arguments.statement_cache_size == 0
    names_nothing = arguments.asyncpg is None or arguments.asyncpg >= _NAMES_NOTHING_UNASKED
    if arguments.statements_are == "named" and kind is PoolKind.NONE:
        return unkept or names_nothing  # no connection outlasts a transaction
    if arguments.statements_are == "nameless" or (
        arguments.statements_are is None and names_nothing
    ):
        return unkept  # what has no name is prepared each time
    return unkept and arguments.prepared_statement_cache_size == 0


def idle_in_transaction(facts: Facts) -> Verdict | None:
    """A server that lets transactions stand open for ever."""
    if (
        facts.server is None
        or facts.server.max_connections is None  # it was not asked
        or facts.settings.dialect != "postgresql"
        or facts.server.idle_in_transaction_timeout is not None
        or facts.arguments is None
        or facts.arguments.ends_idle_transactions
    ):
        return None
    return Verdict(
        Severity.INFO,
        "the server lets transactions stand idle for ever",
        "idle_in_transaction_session_timeout is 0. A session that is left open in a transaction "
        "keeps its locks, and keeps VACUUM from cleaning up, until the process ends.",
        "ALTER ROLE ... SET idle_in_transaction_session_timeout = '60s', longer than the longest "
        "pause that you mean to have",
    )
