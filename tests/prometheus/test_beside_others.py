"""`/metrics` beside whatever the application does there itself."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, make_asgi_app
from prometheus_fastapi_instrumentator import Instrumentator
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from pool_observer import PoolObserver
from tests.conftest import Observe
from tests.prometheus.apps import OURS, an_app, get
from tests.support import FakeDatabase


@pytest.fixture
def engine(database: FakeDatabase) -> Engine:
    return database.engine()


def served_before(app: FastAPI, serve: Any, engine: Engine, observed: Observe) -> PoolObserver:
    serve(app)
    return observed(engine, app=app, name="orders", registry=CollectorRegistry())


def served_after(app: FastAPI, serve: Any, engine: Engine, observed: Observe) -> PoolObserver:
    observer = observed(engine, app=app, name="orders", registry=CollectorRegistry())
    serve(app)
    return observer


WHEN = pytest.mark.parametrize("when", [served_before, served_after])


def by_a_route(app: FastAPI) -> None:
    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        return "theirs"


def by_an_included_router(app: FastAPI) -> None:
    router = APIRouter()

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        return "theirs"

    app.include_router(router)


def by_a_mount(app: FastAPI) -> None:
    async def theirs(request: Request) -> PlainTextResponse:
        return PlainTextResponse("theirs")

    app.mount("/metrics", Starlette(routes=[Route("/", theirs)]))


@WHEN
@pytest.mark.parametrize("serve", [by_a_route, by_an_included_router, by_a_mount])
def test_what_the_application_serves_there_itself_stays(
    when: Any, serve: Any, engine: Engine, observed: Observe
) -> None:
    app = an_app(engine)
    when(app, serve, engine, observed)
    assert get(app).text == "theirs"


def by_a_page_for_the_rest(app: FastAPI) -> None:
    @app.get("/{path:path}")
    def page(path: str) -> str:
        return "page"


def by_static_files_for_the_rest(app: FastAPI) -> None:
    app.mount("/", StaticFiles(directory=".", check_dir=False, html=True))


@WHEN
@pytest.mark.parametrize("serve", [by_a_page_for_the_rest, by_static_files_for_the_rest])
def test_what_takes_all_that_is_left_does_not_take_it(
    when: Any, serve: Any, engine: Engine, observed: Observe
) -> None:
    app = an_app(engine)
    when(app, serve, engine, observed)
    assert OURS in get(app).text


def test_it_says_once_that_the_application_answers(
    engine: Engine, observed: Observe, caplog: pytest.LogCaptureFixture
) -> None:
    app = an_app(engine)
    by_a_route(app)
    with caplog.at_level(logging.INFO, "pool_observer"):
        observed(engine, app=app, registry=CollectorRegistry())
        for _ in range(3):
            assert get(app).text == "theirs"
    (record,) = caplog.records
    assert record.message.startswith("/metrics is answered by the application itself")
    assert "registry=" in record.message


@WHEN
def test_beside_the_instrumentator_its_page_has_our_metrics_once(
    when: Any, engine: Engine, observed: Observe
) -> None:
    registry = CollectorRegistry()

    def instrument(app: FastAPI) -> None:
        Instrumentator(registry=registry).instrument(app).expose(app)

    app = an_app(engine)
    if when is served_before:
        instrument(app)
    observed(engine, app=app, name="orders", registry=registry)
    if when is served_after:
        instrument(app)
    assert get(app, "/orders/1").status_code == 200
    text = get(app).text
    assert text.count("# TYPE pool_observer_info gauge") == 1
    assert "http_requests_total" in text
    assert 'pool_observer_checkouts_total{db_client_connection_pool_name="orders"' in text


def test_beside_prometheus_clients_own_application(engine: Engine, observed: Observe) -> None:
    registry = CollectorRegistry()
    app = an_app(engine)
    observed(engine, app=app, name="orders", registry=registry)
    app.mount("/metrics", make_asgi_app(registry))
    text = get(app).text
    assert text.count("# TYPE pool_observer_info gauge") == 1


def test_a_route_that_cannot_be_asked_leaves_all_as_it_was(
    engine: Engine, observed: Observe
) -> None:
    class Odd(Route):
        def matches(self, scope: Any) -> Any:
            if "app" not in scope:  # as whoever only wonders would ask
                raise ZeroDivisionError
            return super().matches(scope)

    async def theirs(request: Request) -> PlainTextResponse:
        return PlainTextResponse("theirs")

    app = Starlette(routes=[Odd("/{name}", theirs)])
    observer = observed(engine, app=app, registry=CollectorRegistry())
    assert get(app).text == "theirs"
    assert observer.snapshot().totals.internal_errors["looking for who answers"] == 1
