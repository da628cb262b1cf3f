"""A real PgBouncer in transaction mode, where one is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from pool_observer.demo.programs import CannotRunError, found, running

SERVER_CONNECTIONS = 20

_CONFIGURATION = """\
[databases]
* = host={host} port={port}
[pgbouncer]
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 1000
auth_type = trust
auth_file = {folder}/users.txt
unix_socket_dir = {folder}
listen_port = 5432
"""


def program() -> str:
    """Where PgBouncer is. Raises CannotRunError if it is not installed."""
    return found("pgbouncer", "install it (Debian: apt install pgbouncer), or leave --pgbouncer")


@contextmanager
def pgbouncer(dsn: str, parent: Path) -> Iterator[str]:
    """Gives the address of the server through it. It listens on a socket in its folder only."""
    url = make_url(dsn)
    host = str(url.query["host"])
    folder = parent / "pgbouncer"
    folder.mkdir()
    configuration = folder / "pgbouncer.ini"
    text = _CONFIGURATION.format(
        host=host, port=url.port or 5432, size=SERVER_CONNECTIONS, folder=folder
    )
    if os.geteuid() == 0:  # which it refuses to be: it becomes whoever the server is
        owner = Path(host).owner()
        text += f"user = {owner}\n"
        shutil.chown(folder, owner)
    configuration.write_text(text, encoding="utf-8")
    (folder / "users.txt").write_text(f'"{url.username}" ""\n', encoding="utf-8")
    socket = folder / ".s.PGSQL.5432"
    if len(os.fsencode(socket)) > 100:
        raise CannotRunError("the folder for temporary files has too long a name; set TMPDIR")
    with running("PgBouncer", [program(), str(configuration)], folder / "log", socket.exists):
        yield url.set(query={"host": str(folder)}).render_as_string(hide_password=False)
