"""Where a server answers all requests in one task: what is over is not where that task stands."""

from __future__ import annotations

import asyncio
import time

from fastapi import FastAPI
from sqlalchemy import Connection

from pool_observer.asgi.installing import install
from pool_observer.model import NANOSECONDS
from tests.asgi.calling import call
from tests.forensics.overdue import SELECT
from tests.support import FakeDatabase, observer_of


def test_a_connection_kept_by_a_request_that_is_over_is_nobodys(database: FakeDatabase) -> None:
    kept: list[Connection] = []
    app, engine = FastAPI(), database.engine()
    passed = [0]

    def clock() -> int:  # the middleware's, and it can be advanced
        return time.perf_counter_ns() + passed[0]

    @app.get("/keep")
    async def keep() -> None:
        kept.append(engine.connect())
        kept[0].execute(SELECT)

    async def serve() -> None:
        await call(app, "/keep")
        passed[0] = 31 * NANOSECONDS
        (held,) = observer.explain().holds
        assert held.hold.holder == "GET /keep"
        assert held.hold.phase == "detached"
        assert held.standing is not None
        assert held.standing.doing == "finished"
        assert held.diagnosis is not None
        assert held.diagnosis.kind == "finished"
        kept.pop().close()

    with observer_of(engine, clock=clock) as observer:
        install(app, observer, server_timing=False, endpoints={})
        asyncio.run(serve())
