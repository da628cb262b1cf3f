from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from tests.conftest import require
from tests.databases.drivers import PYMYSQL, Driver
from tests.databases.mariadb import is_installed, started_mariadb
from tests.databases.servers import MariadbServer
from tests.probe.mysql.server import RestartableMariadb


@pytest.fixture(scope="package")
def mariadb() -> Iterator[MariadbServer]:
    require(is_installed(), "mariadbd (Debian: mariadb-server)")
    with started_mariadb() as url:
        server = MariadbServer(url)
        server.ask("CREATE TABLE account (id int PRIMARY KEY, balance int) ENGINE = InnoDB")
        server.ask("INSERT INTO account VALUES (1, 0), (2, 0)")
        yield server


@pytest.fixture
def root(mariadb: MariadbServer) -> Iterator[Engine]:
    engine = create_engine(mariadb.url(PYMYSQL), poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def server_for(mariadb: MariadbServer) -> Callable[[Driver, bool], MariadbServer]:
    """What `@on` asks for."""
    return lambda _driver, _of_its_own: mariadb


@pytest.fixture
def own_mariadb() -> Iterator[RestartableMariadb]:
    """A MariaDB for one test, which may kill it."""
    require(is_installed(), "mariadbd (Debian: mariadb-server)")
    with started_mariadb() as url, RestartableMariadb(url) as server:
        yield server
