"""A MariaDB that a test may kill and start again, and a role that may see less than root."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from tests.databases.drivers import PYMYSQL
from tests.databases.mariadb import found
from tests.databases.servers import MariadbServer, Server
from tests.support import wait_until


class RestartableMariadb(MariadbServer):
    """The server that `started_mariadb` has started, and those that take its place."""

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self._socket = Path(str(url.query["unix_socket"]))
        self._later: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._later:
            process.kill()
            process.wait()

    def kill_all(self) -> None:
        """End the server as a crash would."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self._answers())

    def start(self) -> None:
        server = found("mariadbd")
        assert server is not None
        folder = self._socket.parent
        self._later.append(
            subprocess.Popen(
                [
                    server,
                    "--no-defaults",
                    f"--datadir={folder / 'data'}",
                    f"--socket={self._socket}",
                    f"--log-error={folder / 'log'}",
                    f"--pid-file={folder / 'pid'}",
                    "--skip-networking",
                    *(["--user=root"] if os.geteuid() == 0 else []),
                ]
            )
        )
        wait_until(self._answers)

    @property
    def pid(self) -> int:
        return int((self._socket.parent / "pid").read_text())

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0


@contextmanager
def account(server: Server, limit: int = 0) -> Iterator[str]:
    """A role that may use the tables, and not see who else does."""
    server.ask("CREATE USER visitor@localhost")
    server.ask(f"GRANT ALL ON test.* TO visitor@localhost WITH MAX_USER_CONNECTIONS {limit:d}")
    try:
        yield "visitor"
    finally:
        server.ask("DROP USER visitor@localhost")


@contextmanager
def visiting(server: Server, limit: int = 0) -> Iterator[Engine]:
    """Connections of such a role."""
    with account(server, limit) as name:
        engine = create_engine(server.url(PYMYSQL).set(username=name), poolclass=NullPool)
        yield engine
        engine.dispose()
