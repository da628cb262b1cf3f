"""`Server-Timing`: exact on a clock of the test's own, and only for who asks for it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import httpx
from fastapi import FastAPI, Response
from sqlalchemy import text

from pool_observer import PoolObserverMiddleware
from pool_observer.asgi import middleware as middleware_module
from pool_observer.asgi_types import Message
from pool_observer.progress import MOST_CLAIMS
from tests.asgi.calling import call
from tests.asgi.serving import serving
from tests.conftest import Observe
from tests.support import FakeClock, FakeDatabase, observer_of


def timings(messages: list[Message]) -> list[str]:
    """The header's values, as they were sent."""
    return [
        value.decode()
        for message in messages
        for name, value in message.get("headers", ())
        if name == b"server-timing"
    ]


def test_the_header_tells_waits_and_holds_until_the_response_starts(
    database: FakeDatabase,
) -> None:
    clock = FakeClock()
    engine = database.engine()
    engine.dispose()
    took = {"connect": 0.25, "statement": 0.004, "rollback": 0.0005}
    database.work = lambda what: clock.advance(took[what])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with engine.connect() as connection:
            clock.advance(1)
            connection.execute(text("statement"))
            clock.advance(2)
        with engine.connect():
            clock.advance(0.5)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            clock.advance(100)
            await send({"type": "http.response.body"})

    with observer_of(engine, clock=clock) as observer:
        wrapped = PoolObserverMiddleware(app, server_timing=True, clock=clock)
        messages = asyncio.run(call(wrapped, "/"))
        (value,) = timings(messages)
        assert value == (
            "pool-wait;dur=250.000, pool-hold;dur=3504.500, db-exec;dur=4.500, db-idle;dur=3500.000"
        )
        assert not observer.snapshot().totals.internal_errors


def test_a_request_that_holds_nothing_says_so() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"server-timing", b"app;dur=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    messages = asyncio.run(call(PoolObserverMiddleware(app, server_timing=True), "/"))
    assert timings(messages) == [
        "app;dur=1",
        "pool-wait;dur=0.000, pool-hold;dur=0.000, db-exec;dur=0.000, db-idle;dur=0.000",
    ]


def test_nobody_is_told_who_has_not_asked(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    app = FastAPI()
    app.add_api_route("/", engine.connect().close)
    quiet = observed(engine, app=app, name="orders")
    assert timings(asyncio.run(call(app, "/"))) == []
    telling = observed(FakeDatabase().engine(), app=app, name="users", server_timing=True)
    assert len(timings(asyncio.run(call(app, "/")))) == 1
    telling.close()
    assert timings(asyncio.run(call(app, "/"))) == []
    quiet.close()


def test_no_figure_is_told_that_is_not_whole(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    app = FastAPI()

    @app.get("/{times}")
    async def read(times: int) -> None:
        for _ in range(times):
            engine.connect().close()

    observed(engine, app=app, server_timing=True)
    assert len(timings(asyncio.run(call(app, f"/{MOST_CLAIMS}")))) == 1
    assert timings(asyncio.run(call(app, f"/{MOST_CLAIMS + 1}"))) == []


def test_a_failure_of_ours_costs_the_header_and_not_the_response(
    database: FakeDatabase, observed: Observe
) -> None:
    app = FastAPI()
    app.add_api_route("/", lambda: None)
    observer = observed(database.engine(), app=app, server_timing=True)
    with mock.patch.object(middleware_module, "with_server_timing", side_effect=ZeroDivisionError):
        messages = asyncio.run(call(app, "/"))
    assert messages[0]["status"] == 200
    assert timings(messages) == []
    assert observer.snapshot().totals.internal_errors == {"telling Server-Timing": 1}


def test_a_browser_gets_it_and_no_name_with_it(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    app = FastAPI()

    @app.get("/secret-route")
    def read(response: Response) -> None:
        response.headers["Server-Timing"] = "app;dur=1"
        with engine.connect() as connection:
            connection.execute(text("SELECT 'secret-statement'"))

    observed(engine, app=app, name="secret-pool", server_timing=True)
    with serving(app) as address:
        response = httpx.get(f"{address}/secret-route")
    header = response.headers["server-timing"]
    metrics = [part.partition(";")[0] for part in header.split(", ")]
    assert metrics == ["app", "pool-wait", "pool-hold", "db-exec", "db-idle"]
    assert "secret" not in header
