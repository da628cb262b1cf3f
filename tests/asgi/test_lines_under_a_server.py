"""Which line of a service has asked, under a real uvicorn: never one of the server's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from tests.asgi.serving import serving
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.support import RecordingListener

SELECT = text("SELECT 1")


def service(engine: AsyncEngine) -> FastAPI:
    app = FastAPI()
    app.router.add_event_handler("shutdown", engine.dispose)

    @app.get("/awaited")
    async def awaited() -> None:
        async with AsyncSession(engine) as session:
            await asyncio.gather(session.execute(SELECT))

    @app.get("/let-go")
    async def let_go() -> None:
        finished = asyncio.Event()
        async with AsyncSession(engine) as session:
            task = asyncio.create_task(session.execute(SELECT))
            task.add_done_callback(lambda _: finished.set())
            beside = asyncio.current_task()
            task.add_done_callback(
                lambda _: beside and beside.get_name()
            )  # which does not await it
            await finished.wait()

    return app


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_task_that_is_awaited_has_the_line_of_who_awaits_it_and_another_has_none(
    postgres: Postgres, observed: Observe, loop: Literal["asyncio", "uvloop"]
) -> None:
    engine = create_async_engine(postgres.url("asyncpg"))
    app, listener = service(engine), RecordingListener()
    observer = observed(engine, app=app, registry=None)
    observer.subscribe(listener)
    with serving(app, loop) as address, httpx.Client(base_url=address, trust_env=False) as client:
        for path in ("/awaited", "/let-go"):
            assert client.get(path).status_code == 200
    observer.deliver()
    sites = {hold.holder: hold.call_site for hold in listener.holds}
    awaited = sites["GET /awaited"]
    assert awaited is not None
    assert (Path(awaited.file).name, awaited.function) == (Path(__file__).name, "awaited")
    assert sites["GET /let-go"] is None
