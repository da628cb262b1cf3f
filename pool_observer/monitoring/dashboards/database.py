"""The database's side: its sessions, ours against others', and which route leaves them idle."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Row, Shown

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
                Panel("Sessions by state", (Shown("sessions", "<pool>: <state>"),)),
                Panel(
                    "Sessions: ours and others'",
                    (Shown("sessions_by_owner", "<pool>: <owner>"),),
                ),
                Panel("Share of max_connections in use", (Shown("server_used", "<pool>"),)),
                Panel("Oldest transaction", (Shown("longest_transaction", "<pool>: <owner>"),)),
                Panel("Database answers", (Shown("server_up", "<pool>"),)),
                Panel("Probes without an answer", (Shown("probe_failures", "<pool>"),)),
            ),
        ),
        Row(
            "Whose sessions they are",
            (
                Panel(
                    "Idle in transaction, by holder",
                    (Shown("resting_sessions", "<holder>", ("holder",)),),
                    width=12,
                    stacked=True,
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Transactions that rest, by holder",
                    (Shown("oldest_at_rest", "<holder> <instance>"),),
                    width=12,
                    nothing="No transaction rests.",
                ),
                Panel(
                    "Oldest transaction, by holder",
                    (Shown("holder_transaction", "<holder>", ("holder",)),),
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Whose locks others wait for",
                    (Shown("blocks", "<holder>", ("holder",)),),
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Who waits for locks",
                    (Shown("blocked", "<holder>", ("holder",)),),
                    nothing=_NOT_ASKED,
                ),
                Panel(
                    "Sessions of holders, by state",
                    (Shown("holder_sessions", "<holder>: <state>", ("holder",)),),
                    width=16,
                    stacked=True,
                    nothing=_NOT_ASKED,
                ),
                Panel("A pooler in between", (Shown("pooler", "<pool>"),)),
            ),
        ),
        Row(
            "PostgreSQL, by postgres_exporter (optional)",
            (
                Panel(
                    "All sessions",
                    (Shown("pg_backends", "<datname>: <state>"),),
                    stacked=True,
                    nothing=_NO_EXPORTER,
                ),
                Panel(
                    "Share of max_connections", (Shown("pg_used", "in use"),), nothing=_NO_EXPORTER
                ),
                Panel(
                    "Oldest transaction of a database",
                    (Shown("pg_oldest", "<datname>"),),
                    nothing=_NO_EXPORTER,
                ),
                Panel(
                    "Transactions",
                    (
                        Shown("pg_commits", "<datname>: committed"),
                        Shown("pg_rollbacks", "<datname>: rolled back"),
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
                        Shown("pgbouncer_clients", "<database>: active"),
                        Shown("pgbouncer_waiting", "<database>: waiting"),
                    ),
                    nothing=_NO_PGBOUNCER,
                ),
                Panel(
                    "Connections to the server",
                    (
                        Shown("pgbouncer_active", "<database>: active"),
                        Shown("pgbouncer_idle", "<database>: idle"),
                    ),
                    nothing=_NO_PGBOUNCER,
                ),
                Panel(
                    "Longest wait for PgBouncer",
                    (Shown("pgbouncer_longest", "<database>"),),
                    nothing=_NO_PGBOUNCER,
                ),
            ),
            collapsed=True,
        ),
    ),
)
