"""What prometheus-community's pgbouncer_exporter would say. It is not the real program.

That is in no package we can install, so a page of text with the names that it documents stands
in: it proves that panels ask for these names, and not that the exporter has them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_POOL = '{database="shop",user="shop"}'
_DATABASE = (
    '{name="shop",host="db",port="5432",database="shop",force_user="",pool_mode="transaction"}'
)
_TOTALS = '{database="shop"}'

FIGURES = {
    "pgbouncer_up": 1,
    f"pgbouncer_databases_pool_size{_DATABASE}": 20,
    f"pgbouncer_databases_reserve_pool{_DATABASE}": 0,
    f"pgbouncer_databases_max_connections{_DATABASE}": 0,
    f"pgbouncer_databases_current_connections{_DATABASE}": 5,
    f"pgbouncer_pools_client_active_connections{_POOL}": 12,
    f"pgbouncer_pools_client_waiting_connections{_POOL}": 1,
    f"pgbouncer_pools_client_maxwait_seconds{_POOL}": 0.1,
    f"pgbouncer_pools_server_active_connections{_POOL}": 4,
    f"pgbouncer_pools_server_idle_connections{_POOL}": 1,
    f"pgbouncer_pools_server_used_connections{_POOL}": 0,
    f"pgbouncer_pools_server_testing_connections{_POOL}": 0,
    f"pgbouncer_pools_server_login_connections{_POOL}": 0,
    f"pgbouncer_stats_queries_pooled_total{_TOTALS}": 1000,
    f"pgbouncer_stats_sql_transactions_pooled_total{_TOTALS}": 500,
    f"pgbouncer_stats_queries_duration_seconds_total{_TOTALS}": 10,
    f"pgbouncer_stats_server_in_transaction_seconds_total{_TOTALS}": 20,
    f"pgbouncer_stats_client_wait_seconds_total{_TOTALS}": 3,
    "pgbouncer_config_max_client_connections": 100,
}


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # http.server wants this name
        body = "".join(f"{series} {figure}\n" for series, figure in FIGURES.items()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Who asks is nothing to tell."""


@contextmanager
def serving_pgbouncer_figures() -> Iterator[str]:
    """Serve them; gives the target."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
