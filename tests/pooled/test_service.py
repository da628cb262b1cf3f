"""The service under a real uvicorn, through PgBouncer: routes, and what its metrics say."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer.model import Activity
from tests.asgi.serving import serving
from tests.conftest import Observe
from tests.databases.drivers import ASYNCPG, PSYCOPG_ASYNC, Driver
from tests.pgbouncer import PgBouncer
from tests.pooled.locks import locked
from tests.pooled.service import HELD, KEPT, LOCKED, RELEASED, Model, holder_of, service
from tests.pooled.settings import CONNECT_ARGS
from tests.postgres import Postgres
from tests.prometheus.scraped import Scraped
from tests.support import wait_until


@pytest.mark.parametrize("driver", [ASYNCPG, PSYCOPG_ASYNC], ids=str)
def test_every_route_is_seen_at_what_it_does(
    postgres: Postgres, pgbouncer: PgBouncer, observed: Observe, driver: Driver
) -> None:
    model = Model()
    engine = create_async_engine(
        pgbouncer.url(driver.module), connect_args=CONNECT_ARGS[driver], pool_size=10
    )
    app = service(engine, model)
    app.router.add_event_handler("shutdown", engine.dispose)
    observer = observed(engine, app=app, name="service", registry=CollectorRegistry())
    with (
        locked(postgres) as lock,
        serving(app) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as http,
        ThreadPoolExecutor() as threads,
    ):
        paths = [HELD, HELD, KEPT, LOCKED, RELEASED]
        answers = [threads.submit(http.post, f"{path}/{user}") for user, path in enumerate(paths)]
        wait_until(lambda: model.asked == 4 and lock.waiting() == 1)
        holds = observer.snapshot().open_holds
        assert Counter((hold.holder, hold.activity) for hold in holds) == {
            (holder_of(HELD), Activity.IN_TRANSACTION): 2,
            (holder_of(KEPT), Activity.IDLE): 1,
            (holder_of(LOCKED), Activity.EXECUTING): 1,
        }
        assert pgbouncer.pool().sv_active == 3
        lock.release()
        model.answers = True
        assert [answer.result().status_code for answer in answers] == [200] * 5
        scraped = Scraped(text_string_to_metric_families(http.get("/metrics").text))
    assert scraped.by("holder", "pool_observer_checkouts_total") == {
        holder_of(HELD): 2,
        holder_of(KEPT): 1,
        holder_of(LOCKED): 1,
        holder_of(RELEASED): 2,
    }
    assert scraped.one("pool_observer_ledger_drift") == 0
    assert scraped.total("pool_observer_internal_errors_total") == 0
    for holder in map(holder_of, (HELD, KEPT, LOCKED, RELEASED)):
        spent = scraped.total("pool_observer_activity_seconds_total", holder=holder)
        used = scraped.one("db_client_connection_use_time_seconds_sum", holder=holder)
        assert spent == pytest.approx(used)
