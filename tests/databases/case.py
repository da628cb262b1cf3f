"""One test body for all drivers.

A body is written as synchronous code, with an `Engine`. For an asyncio driver it runs in a
greenlet, which is how SQLAlchemy itself runs its synchronous core on such a driver. A body
that is about asyncio is a coroutine function instead, and has an `AsyncEngine` as well.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from pool_observer import PoolObserver, observe
from pool_observer.model import Activity, Hold, Wait
from pool_observer.state import PoolState
from tests.databases.background import PATIENCE_SECONDS, Background
from tests.databases.drivers import PSYCOPG_ASYNC, Driver
from tests.databases.servers import Server, sync_of
from tests.support import RecordingListener

T = TypeVar("T")

_BETWEEN_LOOKS = 0.005
_LOOKS = round(PATIENCE_SECONDS / _BETWEEN_LOOKS)

Body = Callable[["Case"], None] | Callable[["Case"], Coroutine[Any, Any, None]]


class Case:
    """An observed engine of one driver, and what has been heard of it."""

    def __init__(self, driver: Driver, server: Server, options: dict[str, Any]) -> None:
        self.driver = driver
        self.server = server
        self._options = options
        self._engines: list[Engine | AsyncEngine] = []
        # SQLAlchemy never closes those that were detached or garbage, and psycopg warns then.
        self._to_close: list[Any] = []
        self._made = self.bare(**options)
        self.observer: PoolObserver
        self.listener = RecordingListener()
        self.failing: set[str] = set()
        """Where the observer is expected to fail, because the test makes it."""

    # -- engines -----------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        return sync_of(self._made)

    @property
    def async_engine(self) -> AsyncEngine:
        assert isinstance(self._made, AsyncEngine)
        return self._made

    def bare(self, **options: Any) -> Engine | AsyncEngine:
        """Another engine on the same database, that nobody observes."""
        create = create_async_engine if self.driver.is_async else create_engine
        url = options.pop("url", None) or self.server.url(self.driver)
        engine: Engine | AsyncEngine = create(url, **options)
        self.server.prepare(sync_of(engine))
        if self.driver is PSYCOPG_ASYNC:
            event.listen(sync_of(engine), "connect", self._remember)
        self._engines.append(engine)
        return engine

    def _remember(self, dbapi_connection: Any, _: object) -> None:
        self._to_close.append(dbapi_connection.driver_connection)

    def twin(self) -> Engine:
        """An unobserved engine with the options of the observed one, to compare with."""
        return sync_of(self.bare(**self._options))

    # -- what the observer knows -------------------------------------------------------------

    def state(self) -> PoolState:
        return self.observer.snapshot()

    @property
    def hold(self) -> Hold:
        """The one hold that is open now."""
        [hold] = self.state().open_holds
        return hold

    @property
    def activity(self) -> Activity:
        return self.hold.activity

    @property
    def holds(self) -> list[Hold]:
        """The holds that have ended, in the order in which they began."""
        self.observer.deliver()
        return sorted(self.listener.holds, key=lambda hold: hold.began_at)

    @property
    def waits(self) -> list[Wait]:
        """The waits that have ended, in the order in which they began."""
        self.observer.deliver()
        return sorted(self.listener.waits, key=lambda wait: wait.began_at)

    def assert_nothing_is_left(self) -> None:
        """Every hold has ended, once, and everything adds up."""
        holds, waits = self.holds, self.waits
        state = self.state()
        assert (state.used, state.waiting, state.open_holds, state.open_waits) == (0, 0, (), ())
        assert state.drift in (0, None)
        assert set(state.totals.internal_errors) == self.failing
        assert state.totals.dropped_events == 0
        tallies = list(state.totals.holders.values())
        assert sum(tally.checkouts for tally in tallies) == len(holds)
        assert sum(sum(tally.returns.values()) for tally in tallies) == len(holds)
        assert sum(sum(tally.waits.values()) for tally in tallies) == len(waits)
        spent = sum(sum(tally.activity_ns.values()) for tally in tallies)
        assert spent == sum(hold.duration_ns for hold in holds)
        for hold in holds:
            assert min(hold.executing_ns, hold.in_transaction_ns, hold.idle_ns) >= 0
        for wait in waits:
            assert min(wait.queue_ns, wait.connect_ns, wait.ping_ns) >= 0

    # -- two things at a time ----------------------------------------------------------------

    def in_background(self, work: Callable[[], T]) -> Background[T]:
        return Background(work, is_async=self.driver.is_async)

    def start_endless(self, connection: Connection) -> Background[object]:
        """Start a statement that runs until it is interrupted, and see that it runs."""

        def execute() -> object:
            return connection.execute(text(self.driver.backend.endless))

        running = self.in_background(execute)
        self.wait_until(self.server.is_busy)
        return running

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Give everything else a chance to run until the condition holds."""
        if self.driver.is_async:
            await_only(self.until(condition))
            return
        for _ in range(_LOOKS):
            if condition():
                return
            time.sleep(_BETWEEN_LOOKS)
        raise AssertionError("it never happened")

    async def until(self, condition: Callable[[], bool]) -> None:
        """`wait_until` for coroutines."""
        for _ in range(_LOOKS):
            if condition():
                return
            await asyncio.sleep(_BETWEEN_LOOKS)
        raise AssertionError("it never happened")

    async def until_closed(self) -> None:
        """Until connections that were terminated, rather than closed, are gone as well.

        A socket goes in a later turn of the loop, and aiosqlite's thread when it gets to it.
        """
        for _ in range(5):
            await asyncio.sleep(0)
        await self.until(lambda: self._threads.issuperset(threading.enumerate()))

    # -- running a body ----------------------------------------------------------------------

    def run(self, body: Body, **observing: Any) -> None:
        with observe(self.engine, **({"name": "test"} | observing)) as self.observer:
            self.observer.subscribe(self.listener)
            if self.driver.is_async:
                asyncio.run(self._run_async(body))
            else:
                try:
                    body(self)
                    self.assert_nothing_is_left()
                finally:
                    for engine in self._engines:
                        sync_of(engine).dispose()

    async def _run_async(self, body: Body) -> None:
        self._threads = set(threading.enumerate())
        try:
            if inspect.iscoroutinefunction(body):
                await body(self)
            else:
                await greenlet_spawn(body, self)
            self.assert_nothing_is_left()
        finally:
            for engine in self._engines:
                assert isinstance(engine, AsyncEngine)
                await engine.dispose()
            for connection in self._to_close:
                await connection.close()
