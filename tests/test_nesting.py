"""A second connection asked for while a first is held: counted, with both lines."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from pool_observer import Nesting, Outcome, PoolObserver, holding
from pool_observer.claim import Claim
from pool_observer.totals import MOST_NESTINGS
from tests.asgi.calling import call
from tests.conftest import Observe
from tests.postgres import Postgres
from tests.support import FakeDatabase, RecordingListener, open_claims, wait_until


def outer(engine: Engine) -> Connection:
    return engine.connect()


def inner(engine: Engine) -> Connection:
    return engine.connect()


def nestings(observer: PoolObserver) -> dict[tuple[str, str, str], int]:
    """How often each function of ours asked while another held, by holder."""
    counted = {}
    for nesting, times in observer.snapshot().totals.nestings.items():
        assert isinstance(nesting, Nesting)
        assert nesting.outer is not None
        assert nesting.inner is not None
        counted[nesting.holder, nesting.outer.function, nesting.inner.function] = times
    totals = observer.snapshot().totals
    assert not totals.internal_errors
    assert sum(counted.values()) == sum(of.nested for of in totals.holders.values())
    return counted


@pytest.fixture
def engine(database: FakeDatabase) -> Engine:
    return database.engine(pool_size=2, max_overflow=0, pool_timeout=0)


def test_a_second_connection_is_counted_with_both_lines(engine: Engine, observed: Observe) -> None:
    observer = observed(engine)
    listener = RecordingListener()
    observer.subscribe(listener)
    with holding("job"):
        for _ in range(3):
            with outer(engine), inner(engine):
                pass
            with inner(engine):
                pass
    observer.deliver()
    assert nestings(observer) == {("job", "outer", "inner"): 3}
    second, first, third, *_ = listener.waits  # told when the holds were over
    assert (first.nested, first.nested_in) == (False, None)
    assert second.nested
    assert second.nested_in is not None
    assert second.nested_in.function == "outer"
    assert (third.nested, third.nested_in) == (False, None)


def test_whoever_deadlocks_on_itself_is_counted(engine: Engine, observed: Observe) -> None:
    observer = observed(engine)
    with outer(engine), inner(engine), pytest.raises(PoolTimeoutError):
        inner(engine)
    assert nestings(observer) == {
        ("unattributed", "outer", "inner"): 1,
        ("unattributed", "inner", "inner"): 1,
    }
    assert observer.snapshot().totals.holders["unattributed"].waits[Outcome.TIMED_OUT] == 1


def test_it_is_seen_while_it_waits(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine(pool_size=1, max_overflow=0, pool_timeout=30)
    observer = observed(engine)

    def deadlock() -> None:
        with outer(engine) as connection:
            held.append(connection)
            inner(engine).close()

    held: list[Connection] = []
    thread = threading.Thread(target=deadlock)
    thread.start()
    wait_until(lambda: observer.snapshot().waiting)
    (wait,) = observer.snapshot().open_waits
    assert wait.nested
    assert wait.nested_in == observer.snapshot().open_holds[0].call_site
    held.pop().close()
    thread.join()


def test_it_is_nested_in_whatever_is_still_held(engine: Engine, observed: Observe) -> None:
    observer = observed(engine)
    with ExitStack() as later:
        first = outer(engine)
        second = inner(engine)
        second.close()
        observer.deliver()
        later.enter_context(inner(engine))  # while the first is held, the second is forgotten
        first.close()
        observer.deliver()
        later.enter_context(outer(engine))
    assert nestings(observer) == {
        ("unattributed", "outer", "inner"): 2,
        ("unattributed", "inner", "outer"): 1,
    }


def test_taking_the_next_before_returning_the_last_keeps_no_chain(
    engine: Engine, observed: Observe
) -> None:
    observer = observed(engine)
    connection = outer(engine)
    for number in range(100):
        following = inner(engine)
        connection.close()
        connection = following
        if number % 10 == 9:
            observer.deliver()
    ((latest,), _) = open_claims(observer._ledger)
    claim: Claim | None = latest
    depth = 0
    while claim is not None:
        depth, claim = depth + 1, claim.outer
    assert depth <= 2
    connection.close()
    observer.deliver()
    assert observer._ledger.units == {}


def test_threads_do_not_nest_in_one_another(engine: Engine, observed: Observe) -> None:
    observer = observed(engine)
    with outer(engine):
        thread = threading.Thread(target=lambda: inner(engine).close())
        thread.start()
        thread.join()
    assert nestings(observer) == {}


@pytest.fixture
def async_engine(tmp_path: Any) -> AsyncEngine:
    return create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'orders.db'}", pool_size=5)


def test_tasks_nest_in_themselves_and_not_in_one_another(
    async_engine: AsyncEngine, observed: Observe
) -> None:
    observer = observed(async_engine)

    async def one() -> None:
        async with async_engine.connect():
            pass

    async def two() -> None:
        async with async_engine.connect():
            await asyncio.create_task(one())
            await one()

    async def main() -> None:
        await asyncio.gather(two(), two(), one())
        await async_engine.dispose()

    asyncio.run(main())
    assert nestings(observer) == {("unattributed", "two", "one"): 2}


def test_a_request_nests_in_itself_in_all_its_tasks_and_threads(
    async_engine: AsyncEngine, observed: Observe
) -> None:
    app = FastAPI()

    async def one() -> None:
        async with async_engine.connect():
            pass

    @app.get("/deadlock")
    async def deadlock() -> None:
        async with async_engine.connect():
            await asyncio.create_task(one())
            with holding("part"):
                await one()

    async def main() -> None:
        await asyncio.gather(*(call(app, "/deadlock") for _ in range(3)))
        await async_engine.dispose()

    observer = observed(async_engine, app=app)
    asyncio.run(main())
    assert nestings(observer) == {
        ("GET /deadlock", "deadlock", "one"): 3,
        ("part", "deadlock", "one"): 3,
    }


def test_requests_do_not_nest_in_one_another(observed: Observe, database: FakeDatabase) -> None:
    # On a synchronous engine in asynchronous endpoints, where all is done by one thread.
    engine = database.engine()
    app = FastAPI()

    @app.get("/")
    async def read() -> None:
        with engine.connect():
            await barrier.wait()

    async def main() -> None:
        await asyncio.gather(*(call(app, "/") for _ in range(5)))

    observer = observed(engine, app=app)
    barrier = asyncio.Barrier(5)
    asyncio.run(main())
    assert nestings(observer) == {}


def test_pools_do_not_nest_in_one_another(observed: Observe) -> None:
    # Whoever waits for one of the second pool does not keep it from others.
    first, second = FakeDatabase().engine(), FakeDatabase().engine()
    observers = [observed(first, name="first"), observed(second, name="second")]
    with outer(first), inner(second), inner(first):
        pass
    assert [nestings(observer) for observer in observers] == [
        {("unattributed", "outer", "inner"): 1},
        {},
    ]


@pytest.mark.filterwarnings("ignore:The garbage collector is trying:sqlalchemy.exc.SAWarning")
def test_a_task_that_fails_with_a_connection_in_hand_is_not_kept_alive(
    postgres: Postgres, observed: Observe
) -> None:
    async_engine = create_async_engine(postgres.url("asyncpg"))

    # Its exception refers to its frames, and these to the connection: if we kept the task,
    # nobody would ever give the connection back.
    async def lose() -> None:
        connection = await async_engine.connect()
        raise ZeroDivisionError(connection)

    async def main() -> None:
        task = asyncio.create_task(lose())
        with suppress(ZeroDivisionError):
            await task
        await asyncio.sleep(0)  # until now the loop refers to it, as it does without us
        reference = weakref.ref(task)
        observer.deliver()
        assert observer.snapshot().used == 1
        del task
        gc.collect()
        assert reference() is None
        assert observer.snapshot().used == 0
        await async_engine.dispose()

    observer = observed(async_engine)
    asyncio.run(main())


def test_the_pairs_that_are_told_apart_are_bounded(engine: Engine, observed: Observe) -> None:
    observer = observed(engine, holder_limit=10 * MOST_NESTINGS)
    with outer(engine):
        for number in range(MOST_NESTINGS + 50):
            with holding(f"job {number}"), inner(engine):
                pass
    totals = observer.snapshot().totals
    assert len(totals.nestings) == MOST_NESTINGS
    assert sum(of.nested for of in totals.holders.values()) == MOST_NESTINGS + 50
