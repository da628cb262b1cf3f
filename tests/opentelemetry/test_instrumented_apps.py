"""`PoolObserverInstrumentor` names the requests of applications that say nothing of us."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import fastapi
import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from pool_observer import observe
from pool_observer.instrumentor import PoolObserverInstrumentor
from tests.opentelemetry.instrumented import Instrument, deliver, pools, sqlite
from tests.opentelemetry.told import Told


def service(make: type[Any] = fastapi.FastAPI) -> Any:
    """An application that takes a connection in a route."""
    engine = sqlite()
    app = make()

    def hello(request: fastapi.Request, name: str = "") -> fastapi.Response:
        with engine.connect():
            return fastapi.Response("hello")

    app.router.add_route("/hello/{name}", hello)
    return app


def get(app: Any, path: str) -> None:
    async def request() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.get(path)).status_code == 200

    asyncio.run(request())


def holders(told: Told) -> list[Any]:
    deliver()
    return [span.attributes["holder"] for span in told.spans("connection hold") if span.attributes]


@pytest.mark.parametrize("make", [fastapi.FastAPI, Starlette])
def test_requests_are_named(told: Told, instrument: Instrument, make: type[Any]) -> None:
    instrument()
    get(service(make), "/hello/you")
    assert holders(told) == ["GET /hello/{name}"]
    (hold,) = told.spans("connection hold")
    assert hold.attributes is not None
    assert hold.attributes["http.route"] == "/hello/{name}"
    assert hold.attributes["pool_observer.handler_seconds"]


def test_an_application_in_an_application_is_named_as_a_whole(
    told: Told, instrument: Instrument
) -> None:
    instrument()
    outer = fastapi.FastAPI()
    outer.mount("/inner", service())
    get(outer, "/inner/hello/you")
    assert holders(told) == ["GET /inner/hello/{name}"]


def test_an_application_that_exists_already(told: Told, instrument: Instrument) -> None:
    app = fastapi.FastAPI()
    instrument(app=app)
    app.mount("/", service())
    get(app, "/hello/you")
    assert holders(told) == ["GET /hello/{name}"]


def test_an_application_is_followed_once(instrument: Instrument) -> None:
    instrument()
    automatic = PoolObserverInstrumentor()._automatic
    assert automatic is not None
    app = fastapi.FastAPI()
    installation = app.__dict__["build_middleware_stack"].installation
    assert len(installation.users) == 1
    automatic.name_requests(app)  # as for one whose `__init__` calls another's
    assert len(installation.users) == 1


def test_an_application_that_observes_itself_as_well(told: Told, instrument: Instrument) -> None:
    instrument()
    engine = sqlite()
    app = fastapi.FastAPI()
    registry = CollectorRegistry()
    with observe(engine, app, registry=registry):

        @app.get("/hello/{name}")
        def hello(name: str) -> str:
            with engine.connect():
                return name

        get(app, "/hello/you")
        get(app, "/metrics")
        assert holders(told) == ["GET /hello/{name}"]
        labels = {"db_client_connection_pool_name": "sqlite/null", "holder": "GET /hello/{name}"}
        assert registry.get_sample_value("pool_observer_checkouts_total", labels) == 1
        assert pools(told) == {"sqlite/null"}


def test_applications_can_be_collected(instrument: Instrument) -> None:
    instrument()
    automatic = PoolObserverInstrumentor()._automatic
    assert automatic is not None
    app = service()
    assert len(automatic._installations) == 1
    del app
    gc.collect()
    assert len(automatic._installations) == 0


def test_it_ends_where_another_tool_stands_on_top_of_ours(instrument: Instrument) -> None:
    instrumentor = instrument()
    app = fastapi.FastAPI()
    build = app.build_middleware_stack
    installation = build.installation  # type: ignore[attr-defined]
    app.build_middleware_stack = lambda: build()  # type: ignore[method-assign]
    instrumentor.uninstrument()
    assert installation.users == []
