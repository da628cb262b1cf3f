"""What exporters beside ours say of the server and of PgBouncer, where there are any.

They have jobs and instances of their own, so nothing of ours selects them; only figures that all
their versions have, in the labels that all of them have.
"""

from __future__ import annotations

from pool_observer.monitoring.scope import INSTANCE, By, Scope
from pool_observer.monitoring.signal import Ask, Signal, Unit


def _postgres(question: str, mend: str, ask: Ask, unit: Unit = Unit.COUNT) -> Signal:
    return Signal(question, mend, ask, (), unit)


def _of_databases(calculation: str, series: str, *labels: str) -> Ask:
    """For each server, which has an exporter of its own, and each of its databases."""
    by = (INSTANCE, "datname", *labels)
    return lambda scope, _by: f"{calculation} by ({scope.labels(by)}) ({series})"


def _rate_of(series: str) -> Ask:
    # What concerns no database has a row of its own, without a name.
    named = f'{series}{{datname!=""}}'
    return lambda scope, by: _of_databases("sum", f"rate({named}[{scope.window}])")(scope, by)


def _used_share(scope: Scope, _by: By) -> str:
    server = scope.labels((INSTANCE,))
    used, most = "pg_stat_activity_count", "pg_settings_max_connections"
    return f"sum by ({server}) ({used})\n/\nmax by ({server}) ({most})"


def _pool(calculation: str, series: str) -> Ask:
    """For each PgBouncer and each of its databases; its own console is one of that name."""
    of = f'(pgbouncer_pools_{series}{{database!="pgbouncer"}})'
    return lambda scope, _by: f"{calculation} by ({scope.labels((INSTANCE, 'database'))}) {of}"


def _pgbouncer(question: str, mend: str, series: str) -> Signal:
    return Signal(question, mend, _pool("sum", series), ())


_sessions = _of_databases("sum", "pg_stat_activity_count", "state")

EXPORTERS = {
    "pg_backends": _postgres(
        "What do the sessions of each database do, whoever asked for them?",
        "`idle in transaction`: the rows above say which route of ours.",
        lambda scope, by: f"{_sessions(scope, by)} > 0",
    ),
    "pg_used": _postgres(
        "What share of max_connections is in use?",
        "Nearly all: find whose they are before raising it, each costs the server memory.",
        _used_share,
        Unit.RATIO,
    ),
    "pg_oldest": _postgres(
        "How long has the oldest transaction of each database been open?",
        "Commit before slow awaits; vacuum waits for it.",
        _of_databases("max", "pg_stat_activity_max_tx_duration"),
        Unit.SECONDS,
    ),
    "pg_commits": _postgres(
        "How many transactions does each database end in a second?",
        "Nothing is wrong with many.",
        _rate_of("pg_stat_database_xact_commit"),
        Unit.PER_SECOND,
    ),
    "pg_rollbacks": _postgres(
        "How many does it roll back?",
        "Reading without a commit ends in one, and is no error.",
        _rate_of("pg_stat_database_xact_rollback"),
        Unit.PER_SECOND,
    ),
    "pgbouncer_clients": _pgbouncer(
        "How many clients have a server connection of PgBouncer?",
        "As many as its pool has, all the time: pool_size, or shorter transactions.",
        "client_active_connections",
    ),
    "pgbouncer_waiting": _pgbouncer(
        "How many clients wait for PgBouncer?",
        "Our pools then see slow statements, not slow waits: it is its queue, not ours.",
        "client_waiting_connections",
    ),
    "pgbouncer_active": _pgbouncer(
        "How many connections to the server are in a transaction?",
        "Far fewer than clients: it does its work.",
        "server_active_connections",
    ),
    "pgbouncer_idle": _pgbouncer(
        "How many connections to the server are free?",
        "None, and clients wait: its pool is full.",
        "server_idle_connections",
    ),
    "pgbouncer_longest": Signal(
        "How long has the client waited that waits longest for PgBouncer?",
        "Its pool is full: pool_size, or shorter transactions.",
        _pool("max", "client_maxwait_seconds"),
        (),
        Unit.SECONDS,
    ),
}
