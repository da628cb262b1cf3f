"""The middleware among others: whose request is it?"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any
from unittest import mock

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response

from pool_observer import PoolObserverMiddleware, holding
from pool_observer.asgi.request import current_request
from pool_observer.asgi.routes import RouteNames
from pool_observer.holder import current_holder
from tests.asgi.calling import call, scope_for
from tests.asgi.orders import an_app, holders, request
from tests.conftest import Observe
from tests.support import FakeDatabase


async def receive() -> Any:
    raise AssertionError("nobody asks")


async def send(message: Any) -> None:
    raise AssertionError("nobody tells")


class CopiesTheScope:
    """Middleware that gives the application a scope of its own, without a prefix of the path."""

    def __init__(self, app: Any, before_routing: Callable[[], object] = lambda: None) -> None:
        self.app = app
        self.before_routing = before_routing

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.before_routing()
        if scope["type"] == "http":
            scope = {**scope, "path": scope["path"].removeprefix("/tenant-5")}
        await self.app(scope, receive, send)


def test_middleware_of_all_kinds_may_be_there_or_come_later(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app(engine)

    async def dispatch(request: Request, call_next: Any) -> Response:
        engine.connect().close()
        response: Response = await call_next(request)
        engine.connect().close()
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    app.add_middleware(GZipMiddleware)
    observer = observed(engine, app=app)
    app.add_middleware(SessionMiddleware, secret_key="secret")
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    assert request(app) == 200
    assert holders(observer) == {"GET /orders/{order}": 5}


def test_a_copy_of_the_scope_is_followed_to_where_it_is_routed(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app(engine)
    observer = observed(engine, app=app)
    app.add_middleware(CopiesTheScope)
    assert request(app, "/tenant-5/orders/5") == 200
    assert holders(observer) == {"GET /orders/{order}": 1}


def test_around_copies_by_hand_the_route_is_the_one_that_the_original_would_take(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    observer = observed(engine)
    app = PoolObserverMiddleware(an_app(engine))
    app.app = CopiesTheScope(app.app)
    # Nothing of the copy is seen: neither a route nor an application.
    assert request(app) == 200
    assert holders(observer) == {"unattributed": 1}
    inner = an_app(engine)
    inner.add_middleware(CopiesTheScope)
    inner.add_middleware(PoolObserverMiddleware)
    assert request(inner) == 200
    assert request(inner, "/tenant-5/orders/5") == 200
    assert holders(observer) == {"unattributed": 1, "GET /orders/{order}": 1, "unmatched": 1}


def test_a_connection_taken_before_routing_is_named_after_where_it_will_lead(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app()
    observer = observed(engine, app=app)

    def hold() -> None:
        with engine.connect():
            seen.append(observer.snapshot().open_holds[0].holder)

    seen: list[str] = []
    app.add_middleware(CopiesTheScope, before_routing=hold)
    asyncio.run(call(app, "/orders/5"))
    asyncio.run(call(app, "/nowhere"))
    assert seen == ["GET /orders/{order}", "unmatched"]


def test_several_middlewares_on_one_request_are_as_one(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = FastAPI()
    requests: set[Any] = set()

    @app.get("/orders/{order}")
    async def read(order: str) -> None:
        requests.add(current_request())
        with engine.connect():
            pass

    class Requests:
        """Between two of ours."""

        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            requests.add(current_request())
            with holding("a name for a while"):
                await self.app(scope, receive, send)

    app.add_middleware(PoolObserverMiddleware)
    app.add_middleware(Requests)
    observer = observed(engine, app=app)
    outermost = PoolObserverMiddleware(app)
    assert request(outermost) == 200
    assert len(requests) == 1
    assert holders(observer) == {"a name for a while": 1}


def test_a_request_made_in_the_middle_of_another_is_its_own(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    inner, outer = an_app(engine), FastAPI()

    @outer.get("/outer")
    async def ask() -> None:
        engine.connect().close()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(inner)) as client:
            await client.get("http://inner/orders/5")
        engine.connect().close()

    observer = observed(engine, app=outer)
    second = observed(FakeDatabase().engine(), app=inner, name="second")
    assert request(outer, "/outer") == 200
    assert holders(observer) == {"GET /outer": 2, "GET /orders/{order}": 1}
    second.close()


def test_an_abandoned_request_ends_wherever_it_is_collected() -> None:
    async def forever(scope: Any, receive: Any, send: Any) -> None:
        seen.append(current_request())
        await asyncio.get_running_loop().create_future()

    async def start() -> Any:
        running = PoolObserverMiddleware(forever)(scope_for("/"), receive, send)
        running.send(None)
        return running

    seen: list[Any] = []
    running = contextvars.copy_context().run(asyncio.run, start())
    contextvars.copy_context().run(running.close)
    assert seen[0].progress.detached_at is not None


def test_nothing_is_left_in_the_context_of_whoever_called() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    async def start() -> None:
        with pytest.raises(ZeroDivisionError):
            await call(PoolObserverMiddleware(app), "/")
        assert current_holder.get() is None

    asyncio.run(start())


@pytest.mark.parametrize("broken", ["routed", "asked"])
def test_a_name_that_cannot_be_found_is_counted_and_felt_by_nobody(
    database: FakeDatabase, observed: Observe, broken: str
) -> None:
    engine = database.engine()
    app = an_app(engine)

    @app.exception_handler(404)
    async def not_found(request: Request, error: Exception) -> Response:
        engine.connect().close()
        return Response(status_code=404)

    observer = observed(engine, app=app)
    with mock.patch.object(RouteNames, broken, side_effect=ZeroDivisionError):
        assert request(app) == 200
        assert request(app, "/nowhere") == 404
        totals = observer.snapshot().totals
    assert set(totals.internal_errors) == {"naming a holder"}
    assert sum(holder.checkouts for holder in totals.holders.values()) == 2


def test_lifespan_passes_through() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], current_request()))

    asyncio.run(PoolObserverMiddleware(app)({"type": "lifespan"}, receive, send))
    assert seen == [("lifespan", None)]
