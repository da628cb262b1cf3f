"""`@through_pgbouncer(...)` turns a body into a test that runs through one for each driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.engine import URL

from tests.databases.case import Body, Case
from tests.databases.drivers import Driver
from tests.databases.servers import PostgresServer
from tests.pgbouncer import PgBouncer, Pool
from tests.pooled.settings import CONNECT_ARGS
from tests.postgres import Postgres

Test = Callable[[Driver, Postgres, PgBouncer], None]


class PooledServer(PostgresServer):
    """Engines reach it through PgBouncer, and what tests do behind their back goes straight."""

    def __init__(self, postgres: Postgres, pgbouncer: PgBouncer) -> None:
        super().__init__(postgres)
        self.pgbouncer = pgbouncer

    def url(self, driver: Driver) -> URL:
        return self.pgbouncer.url(driver.name)


def pgbouncer_of(case: Case) -> PgBouncer:
    assert isinstance(case.server, PooledServer)
    return case.server.pgbouncer


def pool_of(case: Case) -> Pool:
    """What PgBouncer says of itself now."""
    return pgbouncer_of(case).pool()


def through_pgbouncer(
    *drivers: Driver, settings: dict[str, object] | None = None, **engine_options: Any
) -> Callable[[Body], Test]:
    """Run the body on these drivers, with an engine of these options.

    `settings` are PgBouncer's, which is in transaction mode if they do not say otherwise.
    """

    def test_of(body: Body) -> Test:
        @pytest.mark.parametrize("driver", drivers, ids=str)
        def test(driver: Driver, postgres: Postgres, pgbouncer: PgBouncer) -> None:
            for name, value in (settings or {}).items():
                pgbouncer.set(name, value)
            options = {"connect_args": CONNECT_ARGS[driver]} | engine_options
            Case(driver, PooledServer(postgres, pgbouncer), options).run(body)

        test.__name__, test.__doc__ = body.__name__, body.__doc__
        return test

    return test_of
