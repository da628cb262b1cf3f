from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.databases.drivers import MARIADB, SQLITE, Driver
from tests.databases.mariadb import is_installed, started_mariadb
from tests.databases.servers import MariadbServer, PostgresServer, Server, SqliteFile
from tests.postgres import Postgres, started_postgres


@pytest.fixture(scope="session")
def shared_postgres(postgres: Postgres) -> PostgresServer:
    return PostgresServer(postgres)


@pytest.fixture(scope="module")
def own_postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for the tests of one module, which may stop it and change its settings."""
    with started_postgres() as postgres:
        yield PostgresServer(postgres)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    require(is_installed(), "mariadbd (Debian: mariadb-server)")
    with started_mariadb() as url:
        yield MariadbServer(url)


@pytest.fixture
def server_for(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Driver, bool], Server]:
    """The server a driver talks to; started when it is first asked for."""

    def server(driver: Driver, of_its_own: bool) -> Server:
        if driver.backend is SQLITE:
            return SqliteFile(tmp_path / "database.sqlite")
        if driver.backend is MARIADB:
            name = "mariadb"
        else:
            name = "own_postgres_server" if of_its_own else "shared_postgres"
        started: Server = request.getfixturevalue(name)
        return started

    return server
