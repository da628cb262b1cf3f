"""What exporters beside ours say of the server and of PgBouncer, where there are any.

They have jobs and instances of their own, so nothing of ours selects them; only figures that all
their versions have, in the labels that all of them have.
"""

from __future__ import annotations

from pool_observer.monitoring.signal import Ask, Limit, Signal, Unit


def _postgres(question: str, mend: str, expression: str | Ask, unit: Unit = Unit.COUNT) -> Signal:
    ask = (lambda _scope, _by: expression) if isinstance(expression, str) else expression
    return Signal(question, mend, ask, (), unit)


def _rate_of(series: str) -> Ask:
    # What all databases share is counted for a database without a name.
    named = f'{series}{{datname!=""}}'
    return lambda scope, _by: f"sum by (datname) (rate({named}[{scope.window}]))"


def _pgbouncer(question: str, mend: str, metric: str, limits: tuple[Limit, ...] = ()) -> Signal:
    # Its own console is a database of that name.
    expression = f'sum by (database) (pgbouncer_pools_{metric}{{database!="pgbouncer"}})'
    return Signal(question, mend, lambda _scope, _by: expression, (), Unit.COUNT, limits)


EXPORTERS = {
    "pg_backends": _postgres(
        "What do the sessions of each database do, whoever asked for them?",
        "`idle in transaction`: the rows above say which route of ours.",
        "sum by (datname, state) (pg_stat_activity_count) > 0",
    ),
    "pg_used": _postgres(
        "What share of max_connections is in use?",
        "Nearly all: find whose they are before raising it, each costs the server memory.",
        "sum(pg_stat_activity_count) / max(pg_settings_max_connections)",
        Unit.RATIO,
    ),
    "pg_oldest": _postgres(
        "How long has the oldest transaction of each database been open?",
        "Commit before slow awaits; vacuum waits for it.",
        "max by (datname) (pg_stat_activity_max_tx_duration)",
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
        lambda _scope, _by: (
            'max by (database) (pgbouncer_pools_client_maxwait_seconds{database!="pgbouncer"})'
        ),
        (),
        Unit.SECONDS,
    ),
}
