"""A real MariaDB server for tests, from the binaries of the operating system."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL


def found(*names: str) -> str | None:
    """The first of these programs that is installed. Daemons are often off the users' path."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def is_installed() -> bool:
    return bool(found("mariadbd") and found("mariadb-install-db"))


@contextmanager
def started_mariadb() -> Iterator[URL]:
    """A server of our own in a temporary folder, reached through a socket. Yields its URL."""
    server, install = found("mariadbd"), found("mariadb-install-db")
    assert server is not None
    assert install is not None
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data, path, log = (Path(folder) / name for name in ("data", "socket", "log"))
        subprocess.run(
            [
                install,
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                *as_root,
            ],
            check=True,
            capture_output=True,
        )
        process = subprocess.Popen(
            [
                server,
                "--no-defaults",
                f"--datadir={data}",
                f"--socket={path}",
                f"--log-error={log}",
                f"--pid-file={folder}/pid",
                "--skip-networking",
                "--innodb-flush-log-at-trx-commit=0",
                *as_root,
            ]
        )
        try:
            url = URL.create(
                "mysql+pymysql",
                username="root",
                database="test",
                query={"unix_socket": str(path)},
            )
            _wait_until_ready(path, process, log)
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_until_ready(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    # Not with a driver: PyMySQL leaks its socket when the connection is refused.
    for _ in range(600):
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"MariaDB did not start:\n{log.read_text() if log.exists() else ''}")
