"""docs/pgbouncer.md: its engines on a real PgBouncer, and its names beside real ones."""

from __future__ import annotations

import asyncio
import doctest
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from pool_observer.contract import CONTRACT
from pool_observer.prometheus_names import series_name
from tests.databases.drivers import ASYNCPG, PSYCOPG, PSYCOPG2, Driver
from tests.pgbouncer import PgBouncer
from tests.pooled.settings import CONNECT_ARGS
from tests.pooled.swapping import swap_servers

PAGE = Path(__file__).parents[2] / "docs" / "pgbouncer.md"
PLACE = "://app@pgbouncer:6432/orders"


def engines(pgbouncer: PgBouncer) -> dict[str, Any]:
    """What the examples of the page define, where the page's place is this PgBouncer."""
    page = PAGE.read_text(encoding="utf-8")
    for driver in (ASYNCPG, PSYCOPG, PSYCOPG2):
        url = pgbouncer.url(driver.name)
        place = f"{url.drivername}{PLACE}"
        assert place in page
        page = page.replace(place, url.render_as_string(hide_password=False))
    test = doctest.DocTestParser().get_doctest(page, {}, PAGE.name, str(PAGE), 0)
    assert doctest.DocTestRunner().run(test, clear_globs=False).failed == 0
    return test.globs


def use(engine: Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        swap_servers(first, second)
    engine.dispose()


@pytest.mark.parametrize("driver", [ASYNCPG, PSYCOPG, PSYCOPG2], ids=str)
def test_the_engines_of_the_page_work_through_it(pgbouncer: PgBouncer, driver: Driver) -> None:
    engine = engines(pgbouncer)[f"with_{driver.name}"]
    if isinstance(engine, AsyncEngine):
        asyncio.run(greenlet_spawn(use, engine.sync_engine))
    else:
        use(engine)


def test_the_other_tests_use_the_settings_of_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = set(re.findall(r'"(\w+)":', page))
    assert told == {name for settings in CONNECT_ARGS.values() for name in settings}


def test_pgbouncer_has_the_columns_that_the_page_names(pgbouncer: PgBouncer) -> None:
    engine = engines(pgbouncer)["with_psycopg"]
    use(engine)
    asked = ("SHOW POOLS", "SHOW STATS_TOTALS", "SHOW DATABASES")
    columns = {column for command in asked for column in pgbouncer.ask(command)[0]}
    named = set(re.findall(r"^\| `(\w+)`.* \(`pgbouncer_", PAGE.read_text("utf-8"), re.MULTILINE))
    assert len(named) == 8
    assert named <= columns


def test_we_have_the_metrics_that_the_page_names() -> None:
    named = set(re.findall(r"\b(?:pool_observer|db_client)_\w+", PAGE.read_text(encoding="utf-8")))
    ours = {series_name(metric) for metric in CONTRACT}
    assert named
    assert named - {"pool_observer"} <= ours
