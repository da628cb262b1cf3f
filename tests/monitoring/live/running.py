"""The database, the service and the exporters, as programs of their own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import URL

from tests.conftest import require
from tests.monitoring.live import service
from tests.monitoring.live.gates import Gates
from tests.postgres import Postgres, started_postgres
from tests.prometheus.prometheus_server import free_port, program

MAX_CONNECTIONS = 30
"""Of the server: enough for one service with all its pools full, and not for two."""

PROBE_ROLE = "pool_observer"


class Database:
    """The server, as its administrator sees it."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self.url = postgres.url("asyncpg")
        self.probe_url = self.url.set(username=PROBE_ROLE)
        self._prepare()

    def connect(self) -> psycopg.Connection:
        url = self._postgres.url("psycopg").set(drivername="postgresql")
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def run(self, *statements: str) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _prepare(self) -> None:
        self.run(
            f"ALTER SYSTEM SET max_connections = {MAX_CONNECTIONS}",
            "CREATE TABLE items AS SELECT id, 1000000 AS stock FROM generate_series(1, 9) AS id",
            f"CREATE ROLE {PROBE_ROLE} LOGIN IN ROLE pg_monitor",
        )
        self._postgres.stop()
        self._postgres.start()

    def refuse_the_probe(self) -> None:
        """To the probe, it is as if the server was down; nobody else is affected."""
        self.run(
            f"ALTER ROLE {PROBE_ROLE} NOLOGIN",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE usename = '{PROBE_ROLE}'",
        )

    def accept_the_probe(self) -> None:
        self.run(f"ALTER ROLE {PROBE_ROLE} LOGIN")

    def free_places(self) -> int:
        """How many more connections the administrator may have."""
        with self.connect() as connection:
            (used,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            ).fetchone() or (0,)
        return MAX_CONNECTIONS - int(used) + 1


@contextmanager
def running_database() -> Iterator[Database]:
    with started_postgres() as postgres:
        yield Database(postgres)


@dataclass(frozen=True)
class Service:
    """One process of the service, which may be stopped and started again at the same address."""

    folder: Path
    port: int
    metrics_port: int

    @classmethod
    def at(cls, folder: Path) -> Service:
        """One that is not started yet."""
        folder.mkdir()
        return cls(folder, free_port(), free_port())

    @property
    def target(self) -> str:
        """Where Prometheus finds it, and what it calls it."""
        return f"127.0.0.1:{self.metrics_port}"

    @property
    def gates(self) -> Gates:
        return Gates(self.folder)

    @contextmanager
    def running(self, database: Database) -> Iterator[None]:
        environment = os.environ | {
            "DATABASE_URL": _text(database.url),
            "PROBE_URL": _text(database.probe_url),
            "GATES": str(self.folder),
            "METRICS_PORT": str(self.metrics_port),
        }
        environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
        command = [
            *(sys.executable, "-m", "uvicorn", "--factory", f"{service.__name__}:app"),
            *("--port", str(self.port), "--no-access-log"),
        ]
        url = f"http://127.0.0.1:{self.port}"
        with program(command, self.folder / "service.log", f"{url}/health", environment):
            yield

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        )


@contextmanager
def running_postgres_exporter(database: Database, target: str, folder: Path) -> Iterator[None]:
    """The program that the optional panels are for, at this host and port."""
    binary = shutil.which("prometheus-postgres-exporter")
    require(binary is not None, "prometheus-postgres-exporter")
    url = database.url
    host = url.query.get("host", url.host)
    source = f"host={host} port={url.port or 5432} user={url.username} dbname={url.database}"
    environment = os.environ | {"DATA_SOURCE_NAME": f"{source} sslmode=disable"}
    command = [str(binary), f"--web.listen-address={target}"]
    with program(command, folder / "exporter.log", f"http://{target}/metrics", environment):
        yield


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
