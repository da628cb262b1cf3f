"""Many clients of the service at once, through PgBouncer, in one event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pool_observer import PoolObserver
from pool_observer.asgi_types import Message
from pool_observer.model import Activity
from tests.asgi.calling import call, status
from tests.conftest import Observe
from tests.databases.background import PATIENCE_SECONDS
from tests.databases.drivers import Driver
from tests.pgbouncer import PgBouncer
from tests.pooled.service import SELECT, Model, service
from tests.pooled.settings import CONNECT_ARGS
from tests.support import RecordingListener


class Crowd:
    def __init__(self, engine: AsyncEngine, observe: Observe) -> None:
        self.model = Model()
        self._engine = engine
        self._app = service(engine, self.model)
        self.observer: PoolObserver = observe(engine, app=self._app, name="crowd", registry=None)
        self.listener = RecordingListener()
        self.observer.subscribe(self.listener)
        self._requests: list[asyncio.Task[list[Message]]] = []

    async def warm(self, connections: int) -> None:
        """Open that many, so that none of the clients has to."""
        opened = [await self._engine.connect() for _ in range(connections)]
        for connection in opened:
            await connection.execute(SELECT)
            await connection.close()

    def comes(self, path: str, clients: int) -> None:
        """That many clients ask for this."""
        for user in range(clients):
            request = call(self._app, f"{path}/{user}", "POST")
            self._requests.append(asyncio.create_task(request))

    def holding(self) -> Counter[tuple[str, Activity]]:
        """How many connections are held now, by whom and what for."""
        holds = self.observer.snapshot().open_holds
        return Counter((hold.holder, hold.activity) for hold in holds)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await asyncio.sleep(0.005)

    async def leaves(self) -> None:
        """The model answers, and every client gets what it came for."""
        self.model.answers = True
        answers = await asyncio.gather(*self._requests)
        assert {status(messages) for messages in answers} <= {200}
        self.observer.deliver()


@asynccontextmanager
async def crowd(
    pgbouncer: PgBouncer, driver: Driver, observe: Observe, *, pool_size: int
) -> AsyncIterator[Crowd]:
    """The service, with a pool of that size of its own that is full of open connections."""
    engine = create_async_engine(
        pgbouncer.url(driver.module),
        connect_args=CONNECT_ARGS[driver],
        pool_size=pool_size,
        max_overflow=0,
    )
    try:
        of_clients = Crowd(engine, observe)
        await of_clients.warm(pool_size)
        yield of_clients
        await of_clients.leaves()
    finally:
        await engine.dispose()
