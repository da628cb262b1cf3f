"""The database's side: its sessions, ours against others', and which route leaves them idle."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Row, Shown
from pool_observer.monitoring.scope import JOB, POOL

_ROUTE = (JOB, POOL, "holder")
_NOT_ASKED = "Nobody asks the database: observe(..., server_probe=True)."
_NO_EXPORTER = "No postgres_exporter is scraped."
_NO_PGBOUNCER = "No pgbouncer_exporter is scraped."

DATABASE = Dashboard(
    "database",
    "Pools: database side",
    "What the database server says of its sessions, and which of our routes they belong to.",
    (
        Row(
            "The server's sessions (server_probe)",
            (
                Panel("Sessions by state", (Shown("sessions", "<job> <pool>: <state>"),)),
                Panel(
                    "Sessions: ours and others'",
                    (Shown("sessions_by_owner", "<job> <pool>: <owner>"),),
                ),
                Panel("Share of max_connections in use", (Shown("server_used", "<job> <pool>"),)),
                Panel(
                    "Oldest transaction", (Shown("longest_transaction", "<job> <pool>: <owner>"),)
                ),
                Panel("Database answers", (Shown("server_up", "<job> <pool>"),)),
                Panel("Probes without an answer", (Shown("probe_failures", "<job> <pool>"),)),
            ),
        ),
        Row(
            "Whose sessions they are",
            (
                Panel(
                    "Idle in transaction, by holder",
                    (Shown("resting_sessions", "<holder>", ("holder",), top=20),),
                    width=12,
                    stacked=True,
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Transactions that rest, by holder",
                    (Shown("oldest_at_rest", "<job> <pool>: <holder>", worst=_ROUTE, top=20),),
                    width=12,
                    nothing="No transaction rests.",
                ),
                Panel(
                    "Oldest transaction, by holder",
                    (Shown("holder_transaction", "<holder>", ("holder",), top=20),),
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Whose locks others wait for",
                    (Shown("blocks", "<holder>", ("holder",), top=20),),
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Who waits for locks",
                    (Shown("blocked", "<holder>", ("holder",), top=20),),
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Sessions of holders, by state",
                    (Shown("holder_sessions", "<holder>: <state>", ("holder",), top=20),),
                    width=16,
                    stacked=True,
                    nothing=_NOT_ASKED,
                ),
                Panel("A pooler in between", (Shown("pooler", "<job> <pool>"),)),
            ),
        ),
        Row(
            "PostgreSQL, by postgres_exporter (optional)",
            (
                Panel(
                    "All sessions",
                    (Shown("pg_backends", "<instance> <datname>: <state>"),),
                    stacked=True,
                    nothing=_NO_EXPORTER,
                ),
                Panel(
                    "Share of max_connections",
                    (Shown("pg_used", "<instance>"),),
                    nothing=_NO_EXPORTER,
                ),
                Panel(
                    "Oldest transaction of a database",
                    (Shown("pg_oldest", "<instance> <datname>"),),
                    nothing=_NO_EXPORTER,
                ),
                Panel(
                    "Transactions",
                    (
                        Shown("pg_commits", "<instance> <datname>: committed"),
                        Shown("pg_rollbacks", "<instance> <datname>: rolled back"),
                    ),
                    width=24,
                    nothing=_NO_EXPORTER,
                ),
            ),
            collapsed=True,
        ),
        Row(
            "PgBouncer, by pgbouncer_exporter (optional)",
            (
                Panel(
                    "Clients",
                    (
                        Shown("pgbouncer_clients", "<instance> <database>: active"),
                        Shown("pgbouncer_waiting", "<instance> <database>: waiting"),
                    ),
                    nothing=_NO_PGBOUNCER,
                ),
                Panel(
                    "Connections to the server",
                    (
                        Shown("pgbouncer_active", "<instance> <database>: active"),
                        Shown("pgbouncer_idle", "<instance> <database>: idle"),
                    ),
                    nothing=_NO_PGBOUNCER,
                ),
                Panel(
                    "Longest wait for PgBouncer",
                    (Shown("pgbouncer_longest", "<instance> <database>"),),
                    nothing=_NO_PGBOUNCER,
                ),
            ),
            collapsed=True,
        ),
    ),
)
