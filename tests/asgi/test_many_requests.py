"""Twenty thousand requests, two hundred at a time, over fifty routes: whose was each hold?

Every endpoint writes down who it is and which server process it works with, while it works.
A server process serves one hold at a time, so its holds and what was written down about it
must be the same, one by one and in the same order.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import BackgroundTasks, Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from starlette.responses import StreamingResponse

from pool_observer import Outcome, holding
from tests.asgi.flood import ROUTES
from tests.asgi.serving import serving
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.support import RecordingListener

REQUESTS = 20_000
AT_A_TIME = 200
OWN_PID = text("SELECT pg_backend_pid()")

Truth = dict[int, list[str]]
"""By server process, who has worked with it, in order."""


def service(engine: Any, truth: Truth) -> FastAPI:
    """Fifty routes of six kinds, each of which holds one connection."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    async def connection() -> AsyncIterator[AsyncConnection]:
        async with engine.connect() as connection:
            yield connection

    needs_connection = Depends(connection)

    def route(number: int) -> Callable[..., Any]:
        name = f"GET /route{number}/{{x}}"

        async def use(connection: AsyncConnection, name: str = name) -> None:
            truth[await connection.scalar(OWN_PID)].append(name)
            await asyncio.sleep(0)
            await connection.execute(OWN_PID)

        async def hold(name: str = name) -> None:
            async with engine.connect() as connection:
                await use(connection, name)

        async def plain(x: int) -> None:
            await hold()

        async def with_dependency(x: int, connection: Any = needs_connection) -> None:
            await use(connection)

        async def in_tasks(x: int) -> None:
            await asyncio.create_task(hold())

        async def in_background(x: int, tasks: BackgroundTasks) -> None:
            tasks.add_task(hold)

        async def streaming(x: int) -> StreamingResponse:
            async def rows() -> AsyncIterator[str]:
                async with engine.connect() as connection:
                    await use(connection)
                    yield "row"

            return StreamingResponse(rows())

        async def named(x: int) -> None:
            with holding(f"job {number}"):
                await hold(f"job {number}")

        kinds = (plain, with_dependency, in_tasks, in_background, streaming, named)
        return kinds[number % len(kinds)]

    app = FastAPI(lifespan=lifespan)
    for number in range(ROUTES):
        app.add_api_route(f"/route{number}/{{x}}", route(number))
    return app


def test_no_hold_is_attributed_to_another_request(postgres: Postgres, observed: Observe) -> None:
    truth: Truth = defaultdict(list)
    engine = create_async_engine(postgres.url("asyncpg"), pool_size=10, max_overflow=10)
    app = service(engine, truth)
    observer = observed(engine, app=app)
    listener = RecordingListener()
    observer.subscribe(listener)
    with serving(app) as address:
        port = address.rpartition(":")[2]
        flood = [sys.executable, "-m", "tests.asgi.flood", port, str(REQUESTS), str(AT_A_TIME)]
        subprocess.run(flood, check=True)
    observer.deliver()

    seen: Truth = defaultdict(list)
    for hold in listener.holds:
        assert hold.backend_pid is not None
        seen[hold.backend_pid].append(hold.holder)
    assert seen == truth
    assert sum(map(len, seen.values())) == REQUESTS
    assert [wait.outcome for wait in listener.waits] == [Outcome.ACQUIRED] * REQUESTS
    state = observer.snapshot()
    assert len(state.totals.holders) == ROUTES
    assert (state.used, state.waiting, state.drift) == (0, 0, 0)
    assert not state.totals.internal_errors
    assert not state.totals.nestings
