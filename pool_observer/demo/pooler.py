"""A real PgBouncer in transaction mode, where one is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from pool_observer.demo.accounts import account, private_folder
from pool_observer.demo.database import PORT, socket_in
from pool_observer.demo.programs import found, running

SERVER_CONNECTIONS = 20

_CONFIGURATION = """\
[databases]
* = host='{host}' port={port}
[pgbouncer]
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 1000
auth_type = trust
auth_file = {folder}/users.txt
unix_socket_dir = {folder}
unix_socket_mode = 0700
listen_port = {port}
"""


def program() -> str:
    """Where PgBouncer is. Raises CannotRunError if it is not installed."""
    return found("pgbouncer", "install it (Debian: apt install pgbouncer), or leave --pgbouncer")


@contextmanager
def pgbouncer(server: URL, parent: Path) -> Iterator[URL]:
    """Gives the address of the server through it, for the user of that address alone.

    It listens on a socket only, in a folder that keeps others out, as the server does.
    """
    user = account()
    folder = private_folder(parent, "pgb", user)
    socket = socket_in(folder)
    host = str(server.query["host"]).replace("'", "''")
    configuration = folder / "pgbouncer.ini"
    text = _CONFIGURATION.format(host=host, port=PORT, size=SERVER_CONNECTIONS, folder=folder)
    configuration.write_text(text, encoding="utf-8")
    (folder / "users.txt").write_text(f'"{server.username}" ""\n', encoding="utf-8")
    command = [program(), str(configuration)]
    log = parent / "pgbouncer.log"
    with running("PgBouncer", command, log, socket.exists, user=user):
        yield server.set(query={"host": str(folder)})
