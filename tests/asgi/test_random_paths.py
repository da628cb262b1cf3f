"""A scanner that asks for a hundred thousand paths learns nothing, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine

from tests.asgi.calling import call
from tests.conftest import Observe
from tests.support import FakeDatabase

SCANS = 100_000
SEEN_AT_FIRST = SCANS // 10
MOST_BLOCKS = 2_000
"""Python objects by which memory may differ: far less than one for each path."""


class HoldsForEveryRequest:
    """The worst case: a connection for every request, whether there is a route or not."""

    def __init__(self, app: Any, engine: Engine) -> None:
        self.app = app
        self.engine = engine

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self.engine.connect():
            await self.app(scope, receive, send)


def test_a_scan_of_random_paths_leaves_holders_and_memory_as_they_were(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = FastAPI()
    app.add_api_route("/orders/{order}", lambda order: None)
    tenant = FastAPI()
    app.mount("/tenants/{tenant}", tenant)
    app.mount("/opaque", lambda scope, receive, send: asyncio.sleep(0))
    app.add_middleware(HoldsForEveryRequest, engine=engine)
    observer = observed(engine, app=app)
    chance = random.Random(0)

    def path() -> str:
        word = f"{chance.getrandbits(64):x}"
        prefix = chance.choice(
            ("", "", "", "/orders", "/orders/5", "/tenants", "/tenants/5", "/opaque")
        )
        return f"{prefix}/{word}"

    async def scan(times: int) -> None:
        for _ in range(times):
            method = chance.choice(("GET", "POST", f"{chance.getrandbits(32):X}"))
            await call(app, path(), method)

    asyncio.run(scan(SEEN_AT_FIRST))
    holders = set(observer.snapshot().totals.holders)
    assert holders == {
        "unmatched",
        *(f"{method} /orders/{{order}}" for method in ("GET", "POST", "OTHER")),
        "GET /opaque/{path}",
        "POST /opaque/{path}",
        "OTHER /opaque/{path}",
    }
    blocks = blocks_in_use()
    asyncio.run(scan(SCANS - SEEN_AT_FIRST))
    state = observer.snapshot()
    assert set(state.totals.holders) == holders
    assert sum(of.checkouts for of in state.totals.holders.values()) == SCANS
    assert not state.totals.internal_errors
    assert blocks_in_use() - blocks < MOST_BLOCKS


def blocks_in_use() -> int:
    gc.collect()
    return sys.getallocatedblocks()
