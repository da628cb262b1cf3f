"""A real PgBouncer for tests, from the operating system's package, before a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy.engine import URL

from tests.databases.mariadb import found
from tests.postgres import Postgres
from tests.support import wait_until

TRANSACTION, SESSION = "transaction", "session"

Row = dict[str, Any]


@dataclass(frozen=True)
class Pool:
    """What of `SHOW POOLS` the tests look at, by its names."""

    cl_active: int = 0
    """Clients that have a server connection, or want none."""
    cl_waiting: int = 0
    """Clients that want a server connection and have none."""
    sv_active: int = 0
    """Server connections that a client has."""
    sv_idle: int = 0
    """Server connections that no client has."""


def is_installed() -> bool:
    return found("pgbouncer") is not None


class PgBouncer:
    """Listens on a socket in a folder of its own, for whoever PostgreSQL itself would let in."""

    def __init__(self, postgres: Postgres, folder: Path, settings: dict[str, object]) -> None:
        self._postgres = postgres
        self.folder = folder
        self._configuration = folder / "pgbouncer.ini"
        self._log = folder / "log"
        server = postgres.url("psycopg")
        self._user, self._database = server.username or "", server.database
        host = str(server.query.get("host", server.host))
        self._write(f"host={host} port={server.port or 5432}", _owner(host) | settings)

    def _write(self, server: str, settings: dict[str, object]) -> None:
        users = self.folder / "users.txt"
        users.write_text(f'"{self._user}" ""\n')
        settings = {
            "admin_users": self._user,
            "auth_file": users,
            "auth_type": "trust",
            "listen_port": 5432,  # which names the socket, too
            "unix_socket_dir": self.folder,
        } | settings
        lines = [f"{name} = {value}" for name, value in settings.items()]
        self._configuration.write_text(
            "\n".join(["[databases]", f"* = {server}", "[pgbouncer]", *lines, ""])
        )
        if user := settings.get("user"):
            shutil.chown(self.folder, str(user))  # where it makes its socket

    def url(self, driver: str) -> URL:
        """How to reach it, through a driver such as `asyncpg`."""
        url = self._postgres.url(driver).set(host=None, port=None)
        return url.update_query_dict({"host": str(self.folder)})

    def ask(self, command: str) -> list[Row]:
        """What its admin console says, such as to `SHOW SERVERS`."""
        # The console knows neither transactions nor prepared statements.
        with psycopg.connect(
            host=str(self.folder),
            user=self._user,
            dbname="pgbouncer",
            autocommit=True,
            row_factory=dict_row,
        ) as console:
            answer = console.execute(command.encode())
            return answer.fetchall() if answer.description else []

    def pool(self) -> Pool:
        """Its one pool of connections to PostgreSQL; it makes it when the first client comes."""
        for row in self.ask("SHOW POOLS"):
            if row["database"] == self._database:
                return Pool(**{field.name: row[field.name] for field in fields(Pool)})
        return Pool()

    def set(self, name: str, value: object) -> None:
        """Change one of its settings, for what happens from now on."""
        self.ask(f"SET {name} = '{value}'")

    def start(self) -> None:
        """Start it, until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(found("pgbouncer")), str(self._configuration)], stdout=log, stderr=log
            )
        wait_until(lambda: self._process.poll() is not None or self._answers())
        assert self._process.poll() is None, self._log.read_text()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.folder / ".s.PGSQL.5432")) == 0

    def stop(self) -> None:
        """End it, and with it every connection through it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to say so to anybody."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait()


def _owner(host: str) -> dict[str, object]:
    """As root it wants to be somebody else: whoever may enter the folder of the server's socket."""
    if os.geteuid() != 0:
        return {}
    return {"user": Path(host).owner() if host.startswith("/") else "nobody"}


@contextmanager
def started_pgbouncer(
    postgres: Postgres,
    *,
    pool_mode: str = TRANSACTION,
    default_pool_size: int = 20,
    **settings: object,
) -> Iterator[PgBouncer]:
    """One that runs, with these settings of its configuration file."""
    settings |= {"pool_mode": pool_mode, "default_pool_size": default_pool_size}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        pgbouncer = PgBouncer(postgres, Path(folder), settings)
        pgbouncer.start()
        try:
            yield pgbouncer
        finally:
            pgbouncer.kill()
