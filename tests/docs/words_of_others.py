"""Words of code in the documentation that nothing of ours has, by whose they are."""

from __future__ import annotations

_OF_THE_SHELL = "cd mktemp mv promtool psql seq uv"
_OF_PYTHON = "dictConfig disable_existing_loggers fileConfig uuid4 wait_for"
_OF_PROMETHEUS = "fatal process_start_time_seconds push_to_gateway python_info start_http_server"
_OF_OPENTELEMETRY = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_OF_GRAFANA = "exemplarTraceIdDestinations"
_OF_DRIVERS = "__asyncpg_stmt_5__ _pg3_0 getconn"
_OF_JOB_RUNNERS = "add_job cron enqueue_job max_tries prefork solo worker_process_init"
_OF_HTTP = "CF Cluster Envoy Fetch Forwarded Host IP Origin Real Sec Site Via"
_OF_DATABASES = """
    BY CREATE IDENTIFIED LOGIN PASSWORD PREPARE TO WITH pg_monitor pg_read_all_stats
"""
_OF_PGBOUNCER = """
    DATABASES STATS_TOTALS cl_active cl_waiting extra_float_digits ignore_startup_parameters
    maxwait query_time query_wait_timeout stats stats_users sv_active xact_time
"""
_OF_PGBOUNCERS_EXPORTER = """
    pgbouncer_databases_pool_size pgbouncer_pools_client_active_connections
    pgbouncer_pools_client_maxwait_seconds pgbouncer_pools_client_waiting_connections
    pgbouncer_pools_server_active_connections pgbouncer_stats_ pgbouncer_stats_totals_
    pgbouncer_stats_totals_client_wait_seconds_total
    pgbouncer_stats_totals_queries_duration_seconds_total
    pgbouncer_stats_totals_server_in_transaction_seconds_total total_requests
"""
_OF_THE_READER = "SHELL ci generate startup work_async"
"""Names that an example has made up, or that stand for something."""

WORDS_OF_OTHERS = frozenset(
    " ".join(
        [
            _OF_THE_SHELL,
            _OF_PYTHON,
            _OF_PROMETHEUS,
            _OF_OPENTELEMETRY,
            _OF_GRAFANA,
            _OF_DRIVERS,
            _OF_JOB_RUNNERS,
            _OF_HTTP,
            _OF_DATABASES,
            _OF_PGBOUNCER,
            _OF_PGBOUNCERS_EXPORTER,
            _OF_THE_READER,
        ]
    ).split()
)
