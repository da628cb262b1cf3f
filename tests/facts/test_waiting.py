"""Facts about asking a pool for a connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from pool_observer import Outcome, Stage
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.support import FakeClock, FakeDatabase, RecordingListener, observer_of, wait_until


def every_pool_event(engine: Engine) -> list[str]:
    """The names of the pool events of this engine, as they fire."""
    fired: list[str] = []
    for name in ("connect", "checkout", "checkin", "reset", "close", "detach", "invalidate"):
        event.listen(engine, name, lambda *_, name=name: fired.append(name))
    event.listen(engine, "handle_error", lambda _: fired.append("handle_error"))
    return fired


def test_fact_01_a_wait_and_its_time_out_are_seen_although_no_event_tells(
    database: FakeDatabase,
) -> None:
    engine = database.engine(pool_size=1, max_overflow=0, pool_timeout=0)
    fired = every_pool_event(engine)
    listener = RecordingListener()
    with observer_of(engine) as observer, engine.connect():
        observer.subscribe(listener)
        fired.clear()
        with pytest.raises(PoolTimeoutError):
            engine.connect()
        assert fired == []
        observer.deliver()
        assert [wait.outcome for wait in listener.waits] == [Outcome.TIMED_OUT]


def test_fact_01_a_wait_is_seen_while_it_lasts_and_counted_once(
    database: FakeDatabase, observed: Observe
) -> None:
    # `_do_get`, the other place to look, calls itself and would count this twice.
    engine = database.engine(pool_size=1, max_overflow=0, pool_timeout=30)
    observer = observed(engine, name="orders")
    holding = engine.connect()
    waiter = threading.Thread(target=lambda: engine.connect().close())
    waiter.start()
    wait_until(lambda: observer.snapshot().waiting == 1)
    (wait,) = observer.snapshot().open_waits
    assert wait.stage is Stage.QUEUE
    assert wait.outcome is None
    holding.close()
    waiter.join()
    state = observer.snapshot()
    assert state.waiting == 0
    assert state.totals.holders["unattributed"].waits[Outcome.ACQUIRED] == 2


def test_fact_02_a_disposed_engine_stays_observed_in_its_new_pool(database: FakeDatabase) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        held = engine.connect()
        first_pool = engine.pool
        engine.dispose()
        assert engine.pool is not first_pool
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert observer.snapshot().used == 1
        with engine.connect():
            assert observer.snapshot().used == 2
            assert observer.snapshot().drift == 0
        held.close()
        assert first_pool.checkedout() == -1  # type: ignore[attr-defined]
        assert observer.snapshot().used == 0
        assert observer.snapshot().drift == 0


def test_fact_03_a_cancelled_waiter_is_cancelled_and_not_timed_out(tmp_path: Any) -> None:
    async def main() -> None:
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{tmp_path}/x.db",
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
        )
        listener = RecordingListener()
        with observer_of(engine.sync_engine) as observer:
            observer.subscribe(listener)
            async with engine.connect():
                waiter = asyncio.create_task(engine.connect().start())
                while not observer.snapshot().waiting:
                    await asyncio.sleep(0)
                waiter.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiter
                assert observer.snapshot().waiting == 0
            observer.deliver()
            assert [wait.outcome for wait in listener.waits] == [
                Outcome.ACQUIRED,
                Outcome.CANCELLED,
            ]
        await engine.dispose()

    asyncio.run(main())


def test_fact_06_a_failed_connect_checks_in_what_was_never_checked_out(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    engine.dispose()
    with engine.connect() as connection:
        connection.invalidate()  # so that the pool keeps a record that must reconnect
    fired = every_pool_event(engine)
    with observer_of(engine) as observer:

        def refuse(_: str) -> None:
            raise ConnectionRefusedError

        database.work = refuse
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                engine.connect()
        assert fired == ["checkin"] * 3
        state = observer.snapshot()
        assert (state.used, state.unseen, state.drift) == (0, 0, 0)
        (totals,) = state.totals.holders.values()
        assert totals.waits[Outcome.FAILED] == 3
        assert totals.checkouts == 0


def test_fact_14_a_pool_inside_the_driver_hides_its_queue_in_the_connect_time(
    postgres: Postgres,
) -> None:
    from psycopg_pool import ConnectionPool

    url = postgres.url("psycopg").set(drivername="postgresql")
    with ConnectionPool(url.render_as_string(hide_password=False), open=True) as inner:
        clock = FakeClock()

        def queue_inside_the_driver() -> Any:
            clock.advance(1.5)
            return inner.getconn()

        engine = create_engine(
            "postgresql+psycopg://", creator=queue_inside_the_driver, poolclass=NullPool
        )
        listener = RecordingListener()
        with observer_of(engine, clock=clock) as observer:
            observer.subscribe(listener)
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            observer.deliver()
        (wait,) = listener.waits
        assert (wait.queue_seconds, wait.connect_seconds) == (0.0, 1.5)


def test_fact_14b_dispose_calls_recreate_so_that_the_next_pool_can_be_observed(
    database: FakeDatabase,
) -> None:
    engine = database.engine()
    with observer_of(engine) as observer:
        ways: list[Callable[[], None]] = [
            engine.dispose,
            lambda: engine.dispose(close=False),
            engine.execution_options(isolation_level="AUTOCOMMIT").dispose,
        ]
        for dispose in ways:
            before = engine.pool
            dispose()
            assert engine.pool is not before
            with engine.connect():
                assert observer.snapshot().used == 1
    assert "connect" not in engine.pool.__dict__


@pytest.mark.parametrize("error", [DisconnectionError, InvalidatePoolError])
def test_fact_14c_a_checkout_listener_that_wants_another_connection_makes_one_hold(
    database: FakeDatabase, error: type[DisconnectionError]
) -> None:
    engine = database.engine()
    checkouts: list[object] = []

    def refuse_the_first(connection: object, *_: object) -> None:
        checkouts.append(connection)
        if len(checkouts) == 1:
            raise error("not this one")

    event.listen(engine, "checkout", refuse_the_first)
    with observer_of(engine) as observer:
        with engine.connect():
            assert len(checkouts) == 2
            assert observer.snapshot().used == 1
        (totals,) = observer.snapshot().totals.holders.values()
        assert totals.checkouts == 1
        assert totals.waits[Outcome.ACQUIRED] == 1


def test_fact_14c_a_checkout_listener_that_raises_makes_no_hold(database: FakeDatabase) -> None:
    engine = database.engine()

    def refuse(*_: object) -> None:
        raise PermissionError("not you")

    event.listen(engine, "checkout", refuse)
    with observer_of(engine) as observer:
        with pytest.raises(PermissionError):
            engine.connect()
        state = observer.snapshot()
        assert (state.used, state.unseen, state.drift) == (0, 0, 0)
        (totals,) = state.totals.holders.values()
        assert totals.waits[Outcome.FAILED] == 1
