"""The service of the compose file that pushes, with a receiver in the collector's place."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import httpx

from pool_observer.opentelemetry.scope import SCOPE
from tests.conftest import require
from tests.monitoring.examples_files import COMPOSE, SERVICE, loaded
from tests.opentelemetry.receiver import Receiver, receiving
from tests.postgres import Postgres
from tests.prometheus.prometheus_server import eventually, free_port, program

PUSHED = loaded(COMPOSE)["services"]["orders-pushed"]
MOMENT = "200"
"""Milliseconds between two exports, instead of what is in the file."""


def test_its_metrics_arrive_with_the_routes_as_holders(postgres: Postgres, tmp_path: Path) -> None:
    found = entry_points(group="opentelemetry_instrumentor", name="pool_observer")
    require(bool(found), "pool_observer as a package, with its entry points")
    url = f"http://127.0.0.1:{free_port()}"
    with receiving() as receiver:
        environment = {
            **os.environ,
            **PUSHED["environment"],
            "DATABASE_URL": postgres.url("asyncpg").render_as_string(hide_password=False),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_METRIC_EXPORT_INTERVAL": MOMENT,
        }
        with program(command(url), tmp_path / "log", f"{url}/health", environment):
            assert httpx.get(f"{url}/orders", trust_env=False).json() == 1
            eventually(lambda: "GET /orders" in holders(receiver))


def command(url: str) -> list[str]:
    """That of the file, at another port and from the folder of this Python."""
    instrument, server, *options = PUSHED["command"]
    options[options.index("--host") + 1] = "127.0.0.1"
    options[options.index("--port") + 1] = url.rsplit(":", 1)[1]
    programs = Path(sys.executable).parent
    return [
        *(str(programs / instrument), str(programs / server), *options),
        *("--app-dir", str(SERVICE)),
    ]


def holders(receiver: Receiver) -> set[str]:
    """Who has held connections, as far as was exported."""
    return {
        point.attributes["holder"]
        for export in receiver.exports()
        for metric in export
        if (metric.scope, metric.name) == (SCOPE, "db.client.connection.use_time")
        for point in metric.points
    }
