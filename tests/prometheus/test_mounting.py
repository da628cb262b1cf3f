"""`/metrics` of an observed application."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, create_engine
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware

from pool_observer import observe
from tests.asgi.serving import serving
from tests.conftest import Observe
from tests.prometheus.apps import OURS, an_app, get
from tests.prometheus.scraped import Scraped
from tests.support import FakeDatabase


@pytest.fixture
def engine(database: FakeDatabase) -> Engine:
    return database.engine()


def test_three_lines_and_there_are_metrics(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, name="orders", registry=CollectorRegistry())
    assert get(app, "/orders/1").status_code == 200
    answer = get(app)
    assert answer.status_code == 200
    assert 'pool_observer_checkouts_total{db_client_connection_pool_name="orders",' in answer.text
    assert 'holder="GET /orders/{order}"} 1.0' in answer.text


def test_on_a_real_server(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, name="orders", registry=CollectorRegistry())
    with serving(app) as address, httpx.Client(base_url=address) as client:
        assert client.get("/orders/1").status_code == 200
        accept = {"accept": "application/openmetrics-text;version=1.0.0"}
        answer = client.get("/metrics", headers=accept)
        assert answer.headers["content-encoding"] == "gzip"
        scraped = Scraped.of_openmetrics(answer.text)
        assert scraped.one("pool_observer_checkouts_total", holder="GET /orders/{order}") == 1.0
        assert scraped.one("pool_observer_event_loop_lag_seconds") >= 0.0


def test_the_event_loop_is_known_from_the_start(engine: Engine, observed: Observe) -> None:
    """Also where connections are opened in threads, and nobody scrapes."""
    app = an_app(engine)
    observer = observed(engine, app=app, metrics_path=None)
    assert observer.snapshot().event_loop_lag_seconds is None
    with serving(app):
        assert observer.snapshot().event_loop_lag_seconds is not None


def test_starlette_is_as_good(engine: Engine, observed: Observe) -> None:
    app = Starlette()
    observed(engine, app=app, registry=CollectorRegistry())
    assert OURS in get(app).text


def test_a_slash_at_the_end_is_forgiven(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, registry=CollectorRegistry())
    assert OURS in get(app, "/metrics/").text
    assert get(app, "/metrics/more").status_code == 404


def test_a_path_of_ones_own(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, registry=CollectorRegistry(), metrics_path="/internal/metrics/")
    assert OURS in get(app, "/internal/metrics").text
    assert get(app).status_code == 404


def test_no_path_no_metrics(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    registry = CollectorRegistry()
    observed(engine, app=app, registry=registry, metrics_path=None)
    assert get(app).status_code == 404
    assert OURS in Scraped.of(registry).names


def test_no_registry_no_metrics(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, registry=None)
    assert get(app).status_code == 404


@pytest.mark.parametrize("path", ["metrics", "", "/", "/a b", "/m?x=1", "/{id}", "/a\n", "/%20"])
def test_what_is_no_path_is_refused(engine: Engine, path: str) -> None:
    with pytest.raises(ValueError, match='like "/metrics"'):
        observe(engine, FastAPI(), metrics_path=path)


def test_what_is_not_even_a_string_is_refused(engine: Engine) -> None:
    with pytest.raises(TypeError, match="metrics_path must be a path"):
        observe(engine, FastAPI(), metrics_path=True)  # type: ignore[arg-type]


def test_other_methods_are_not_allowed(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, registry=CollectorRegistry())
    assert get(app, method="POST").status_code == 405
    head = get(app, method="HEAD")
    assert head.status_code == 200
    assert head.content == b""


def test_it_leaves_with_the_observer(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    routes = list(app.routes)
    observer = observed(engine, app=app, registry=CollectorRegistry())
    assert app.routes == routes
    assert get(app).status_code == 200
    observer.close()
    assert get(app).status_code == 404


def test_it_is_not_in_the_documentation(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, registry=CollectorRegistry())
    assert list(app.openapi()["paths"]) == ["/orders/{order}"]


# -- several engines, several applications ---------------------------------------------------


def test_several_engines_are_on_one_page(observed: Observe) -> None:
    registry = CollectorRegistry()
    orders, users = FakeDatabase().engine(), FakeDatabase().engine()
    app = an_app(orders)
    first = observed(orders, app=app, name="orders", registry=registry)
    observed(users, app=app, name="users", registry=registry)
    text = get(app).text
    assert text.count(f"# TYPE {OURS} gauge") == 1
    assert text.count(f"{OURS}{{") == 2
    first.close()
    assert get(app).text.count(f"{OURS}{{") == 1


def test_two_registries_do_not_share_a_path(observed: Observe) -> None:
    orders, users = FakeDatabase().engine(), FakeDatabase().engine()
    app = an_app(orders)
    observed(orders, app=app, name="orders", registry=CollectorRegistry())
    with pytest.raises(ValueError, match=r'metrics_path="/metrics-2"'):
        observe(users, app, name="users", registry=CollectorRegistry())
    observed(users, app=app, name="users", registry=CollectorRegistry(), metrics_path="/metrics-2")
    assert 'name="orders"' in get(app).text
    assert 'name="users"' in get(app, "/metrics-2").text


def test_below_a_mount_it_is_where_the_application_is(engine: Engine, observed: Observe) -> None:
    inner = an_app(engine)
    outer = FastAPI()
    outer.mount("/api", inner)
    observed(engine, app=inner, registry=CollectorRegistry())
    assert OURS in get(outer, "/api/metrics").text
    assert get(outer, "/metrics").status_code == 404


def test_behind_a_proxy_that_strips_its_prefix(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observed(engine, app=app, registry=CollectorRegistry())
    assert OURS in get(app, "/metrics", root_path="/api/v1").text
    assert OURS in get(app, "/api/v1/metrics", root_path="/api/v1").text


# -- what is around it -----------------------------------------------------------------------


def test_the_applications_middleware_is_around_it(engine: Engine, observed: Observe) -> None:
    """It may ask who is there, as it does for the rest of the application."""

    async def refuse(request: Request, call_next: Any) -> PlainTextResponse:
        return PlainTextResponse("who are you?", 401)

    app = an_app(engine)
    app.add_middleware(BaseHTTPMiddleware, dispatch=refuse)
    observed(engine, app=app, registry=CollectorRegistry())
    assert get(app).status_code == 401


def test_it_is_not_compressed_twice(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    app.add_middleware(GZipMiddleware, minimum_size=1)
    observed(engine, app=app, registry=CollectorRegistry())
    assert OURS in get(app).text


def test_a_scrape_holds_nothing(engine: Engine, observed: Observe) -> None:
    app = an_app(engine)
    observer = observed(engine, app=app, registry=CollectorRegistry())
    for _ in range(3):
        get(app)
    assert observer.snapshot().totals.holders == {}


def test_what_a_middleware_takes_meanwhile_has_the_paths_name(
    engine: Engine, observed: Observe
) -> None:
    async def with_a_session(request: Request, call_next: Any) -> Any:
        with engine.connect():
            return await call_next(request)

    app = an_app(engine)
    app.add_middleware(BaseHTTPMiddleware, dispatch=with_a_session)
    observer = observed(engine, app=app, registry=CollectorRegistry())
    get(app)
    assert list(observer.snapshot().totals.holders) == ["GET /metrics"]


def test_an_engine_without_an_application_has_metrics_too(observed: Observe) -> None:
    registry = CollectorRegistry()
    observed(create_engine("sqlite://"), name="orders", registry=registry)
    assert Scraped.of(registry).of_pool("orders")
