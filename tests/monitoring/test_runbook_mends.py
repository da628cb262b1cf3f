"""The code of the runbooks, run on a real database: before it has the fault, after it has not."""

from __future__ import annotations

import asyncio
import collections
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import create_async_engine

from pool_observer import Listener
from pool_observer.diagnosing import EXITS_AFTER_RESPONSE, version_of
from tests.conftest import Observe
from tests.monitoring.runbook_parts import python
from tests.monitoring.runbook_shop import Base, Order, Shop
from tests.postgres import Postgres

BEFORE, AFTER = "before", "after"
VARIANTS = [(BEFORE, 1), (AFTER, 0)]
"""What is out while the code awaits something else."""
DEPENDENCIES_LAST = (version_of("fastapi") or ()) >= EXITS_AFTER_RESPONSE
"""Whether sessions of dependencies are out while the response is sent, and after it."""


@pytest.fixture(scope="module")
def tables(postgres: Postgres) -> Iterator[None]:
    engine = create_engine(postgres.url("psycopg"))
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        rows = [{"id": number, "name": f"order {number}"} for number in (1, 2, 3)]
        connection.execute(Order.__table__.insert(), rows)  # type: ignore[attr-defined]
    yield
    Base.metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def shop(postgres: Postgres, observed: Observe, tables: None) -> Shop:
    return Shop(postgres, observed)


# Released before the await


@pytest.mark.parametrize(("variant", "out"), VARIANTS)
@pytest.mark.parametrize(
    ("alert", "method", "path", "answer"),
    [
        ("ConnectionPoolExhausted", "POST", "/chat/1", "order 1"),
        ("ConnectionPoolIdleCapacity", "GET", "/quote/1", "order 1"),
    ],
)
def test_a_route_awaits_a_model(
    shop: Shop, alert: str, method: str, path: str, answer: str, variant: str, out: int
) -> None:
    shop.run(alert, variant, ask_model=shop.somebody_else)
    assert shop.ask(method, path).json() == answer
    assert shop.seen == [out]
    assert shop.used == 0


@pytest.mark.parametrize(("variant", "out"), VARIANTS)
def test_a_route_sends_a_stream(shop: Shop, variant: str, out: int) -> None:
    async def as_csv(orders: list[Order]) -> AsyncIterator[str]:
        for order in orders:
            yield await shop.somebody_else(order.name)

    shop.run("ConnectionPoolAcquireSlow", variant, as_csv=as_csv)
    assert shop.ask("GET", "/export").text.count("order") == 3
    assert shop.seen == [out if DEPENDENCIES_LAST else 0] * 3


@pytest.mark.parametrize(("variant", "out"), VARIANTS)
def test_a_route_sends_mail_afterwards(shop: Shop, variant: str, out: int) -> None:
    shop.run("ConnectionPoolTimeoutBudgetBurn", variant, send_mail=shop.somebody_else)
    assert shop.ask("POST", "/orders/1/ship").json() == "shipped"
    assert shop.seen == [out if DEPENDENCIES_LAST else 0]


@pytest.mark.parametrize(("variant", "out"), VARIANTS)
@pytest.mark.parametrize(
    ("alert", "function", "awaited"),
    [
        ("ConnectionPoolIdleInTransaction", "pay", "charge"),
        ("DatabaseLockHeld", "ship", "send_mail"),
    ],
)
def test_a_function_awaits_between_its_statements(
    shop: Shop, alert: str, function: str, awaited: str, variant: str, out: int
) -> None:
    async def elsewhere(name: str) -> int:
        await shop.somebody_else(name)
        return 7

    named = shop.run(alert, variant, **{awaited: elsewhere})
    asyncio.run(named[function](1))
    assert shop.seen == [out]


@pytest.mark.parametrize(("variant", "out"), VARIANTS)
def test_a_job_works_in_pieces(shop: Shop, variant: str, out: int) -> None:
    named = shop.run("ConnectionPoolOverdueHolds", variant, upload=shop.somebody_else)
    asyncio.run(named["archive"]([1, 2]))
    assert shop.seen == [out, out]


def test_a_job_that_is_meant_to_last_says_so(shop: Shop) -> None:
    limits: list[float | None] = []

    class Limits(Listener):
        def hold_ended(self, hold: Any) -> None:
            limits.append(hold.limit_seconds)

    shop.observer.subscribe(Limits())
    named = shop.run("ConnectionPoolOverdueHolds", AFTER, upload=shop.somebody_else)
    assert asyncio.run(named["report"]()) == 3
    shop.observer.deliver()
    assert limits == [600]


# Given back on every path


def test_a_route_that_raises_gives_its_connection_back(shop: Shop) -> None:
    shop.run("ConnectionPoolLeak", AFTER)
    assert shop.ask("GET", "/orders/1").json() == "order 1"
    assert shop.ask("GET", "/orders/99").status_code == 500
    assert shop.used == 0


def test_a_function_that_raises_gives_its_connection_back(shop: Shop) -> None:
    named = shop.run("ConnectionPoolReturnsBehind", AFTER)

    async def raising() -> int:
        assert await named["total"](2) == 0
        with pytest.raises(NoResultFound):
            await named["total"](99)
        return shop.used

    assert asyncio.run(raising()) == 0


def test_a_job_gives_back_the_session_it_has_made(shop: Shop) -> None:
    named = shop.run("ConnectionPoolLostConnections", AFTER)
    assert asyncio.run(named["nightly"]()) == 3
    assert shop.used == 0


# One connection instead of several


@pytest.mark.parametrize(("variant", "most"), [(BEFORE, 3), (AFTER, 1)])
def test_many_rows_take_one_connection(shop: Shop, variant: str, most: int) -> None:
    named = shop.run("ConnectionPoolLongWaits", variant)
    found = asyncio.run(named["load_all"]([1, 2, 3]))
    assert sorted(order.id for order in found) == [1, 2, 3]
    assert shop.observer.snapshot().peak_demand == most


@pytest.mark.parametrize(("variant", "nested"), [(BEFORE, 1), (AFTER, 0)])
def test_a_session_is_passed_on(shop: Shop, variant: str, nested: int) -> None:
    shop.run("ConnectionPoolNestedCheckouts", variant)
    assert shop.ask("GET", "/orders/1").json() == "order 1"
    assert sum(shop.observer.snapshot().totals.nestings.values()) == nested


# Engines


@pytest.mark.parametrize("variant", [BEFORE, AFTER])
@pytest.mark.parametrize(
    "alert",
    [
        "ConnectionPoolNearlyFull",
        "ConnectionPoolQueueWait",
        "ConnectionPoolChurn",
        "DatabaseConnectionBudget",
        "DatabaseNotAnswering",
    ],
)
def test_an_engine_connects(shop: Shop, alert: str, variant: str) -> None:
    engine = shop.run(alert, variant)["engine"]
    assert engine is not shop.engine

    async def connect() -> int | None:
        async with engine.connect() as connection:
            answer = await connection.scalar(select(1))
        await engine.dispose()
        return answer  # type: ignore[no-any-return]

    assert asyncio.run(connect()) == 1


def test_an_engine_is_given_back_when_the_process_ends(shop: Shop) -> None:
    named = shop.run("DatabaseConnectionsNearlyExhausted", AFTER)
    engine, app = named["engine"], named["app"]

    async def process() -> str | None:
        async with app.router.lifespan_context(app):
            async with engine.connect() as connection:
                name = await connection.scalar(select(func.current_setting("application_name")))
            assert engine.pool.checkedin() == 1
        assert engine.pool.checkedin() == 0
        return name  # type: ignore[no-any-return]

    assert asyncio.run(process()) == "orders"


# The rest


@pytest.mark.parametrize(("variant", "in_the_loop"), [(BEFORE, True), (AFTER, False)])
def test_what_blocks_is_done_in_a_thread(shop: Shop, variant: str, in_the_loop: bool) -> None:
    threads: list[int] = []

    def render_pdf(order_id: int) -> str:
        threads.append(threading.get_ident())
        return f"invoice {order_id}"

    shop.run("EventLoopBlocked", variant, render_pdf=render_pdf)
    assert shop.ask("GET", "/invoice/1").json() == "invoice 1"
    assert (threads == [threading.get_ident()]) is in_the_loop


@pytest.mark.parametrize("variant", [BEFORE, AFTER])
def test_a_pool_has_a_name_of_its_own(
    shop: Shop, postgres: Postgres, observed: Observe, variant: str
) -> None:
    names: list[str] = []

    def observe(engine: Any, app: FastAPI, **options: Any) -> None:
        names.append(observed(engine, app=app, **options).snapshot().name)

    engine = create_async_engine(postgres.url("asyncpg"))
    shop.run("ConnectionPoolMetricsAbsent", variant, observe=observe, engine=engine)
    assert (names == ["orders"]) is (variant == AFTER)


class _Wait:
    held_by = ()
    holder = "GET /"
    seconds = 1.5


def test_a_listener_bears_waits_that_nobody_is_to_blame_for() -> None:
    listeners = [
        _listener("PoolObserverInternalErrors", variant, "Slow") for variant in (BEFORE, AFTER)
    ]
    with pytest.raises(IndexError):
        listeners[0].wait_ended(_Wait())
    listeners[1].wait_ended(_Wait())


def test_a_listener_adds_up() -> None:
    report = _listener("PoolObserverDroppedEvents", AFTER, "Report")
    for _ in range(2):
        report.wait_ended(_Wait())
    assert report.seconds == {"GET /": 3.0}


def _listener(alert: str, variant: str, name: str) -> Any:
    named: dict[str, Any] = {"Listener": Listener, "Counter": collections.Counter}
    for code in python(alert, variant):
        exec(compile(code, f"{alert}.md", "exec", dont_inherit=True), named)
    make: Callable[[], Any] = named[name]
    return make()
