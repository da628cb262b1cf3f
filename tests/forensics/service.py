"""A service that does everything wrong that can be done with a connection, one thing a route.

Each waits with a connection in its hands for something that the test releases.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import observe
from tests.forensics import crowd, json_log, ledger, orders, reports

APPLICATION = "forensics"
"""What PostgreSQL knows its connections as."""

DEBUG_PATH = "/debug/pools"
LEAK_AFTER, JSON_LOG = "LEAK_AFTER", "JSON_LOG"
ASYNCPG, PSYCOPG = "ASYNCPG_URL", "PSYCOPG_URL"


def app() -> FastAPI:
    json_log.write_to(Path(os.environ[JSON_LOG]))
    app = FastAPI()
    observing: Any = {"leak_after": float(os.environ[LEAK_AFTER]), "debug_path": DEBUG_PATH}

    @app.get("/ready")
    async def ready() -> None: ...

    for routes in (orders, ledger, crowd):
        engine = create_async_engine(
            os.environ[ASYNCPG],
            connect_args={"server_settings": {"application_name": APPLICATION}},
            **routes.POOL,
        )
        observe(engine, app, name=routes.NAME, **observing)
        routes.add_routes(app, engine)
    named = {"application_name": APPLICATION}
    sync_engine = create_engine(os.environ[PSYCOPG], pool_size=10, connect_args=named)
    observe(sync_engine, app, name=reports.NAME, **observing)
    reports.add_routes(app, sync_engine)
    return app
