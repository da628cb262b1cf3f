"""Endpoints are found wherever they are, and an odd one does not hide the others."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route

from pool_observer.audit.auditing import audit
from pool_observer.audit.endpoints import number_of_routes, routes_of
from pool_observer.audit.finding import Finding
from tests.audit import some_endpoints as endpoints
from tests.audit.some_endpoints import ASYNC_ENGINE, ENGINE, app_of, included, mounted


def found(code: str, engine: Any, app: object) -> list[Finding]:
    findings = audit(engine, app)
    return [finding for finding in findings if finding.code == code]


@pytest.mark.parametrize(
    ("compose", "name"),
    [(included, "GET /api/outer/inner/there"), (mounted, "GET /sub/there")],
)
def test_endpoints_are_found_wherever_they_are(
    compose: Callable[[Any], FastAPI], name: str
) -> None:
    (finding,) = found("streaming-session", ASYNC_ENGINE, compose(endpoints.streams))
    assert name in finding.why
    (finding,) = found("sync-engine", ENGINE, compose(endpoints.blocks))
    assert name in finding.why


def test_endpoints_of_starlette_are_looked_at_as_well() -> None:
    async def blocks(request: Request) -> Response:
        with endpoints.SessionLocal() as session:
            return PlainTextResponse(str(session))

    class Endpoint(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            return await blocks(request)

    inner = Starlette(routes=[Route("/orders", blocks), Route("/class", Endpoint)])
    app = Starlette(routes=[Mount("/v1", inner), Host("api.example.org", inner)])
    (finding,) = found("sync-engine", ENGINE, app)
    assert finding.why.startswith("GET /v1/orders, GET /orders: ")


def test_decorated_and_partial_endpoints_are_seen_through() -> None:
    @functools.wraps(endpoints.blocks_by_itself)
    async def wrapped() -> str:
        return await endpoints.blocks_by_itself()

    app = FastAPI()
    app.add_api_route("/wrapped", wrapped)
    app.add_api_route("/partial", functools.partial(endpoints.blocks_by_itself))
    (finding,) = found("sync-engine", ENGINE, app)
    assert finding.title.startswith("2 endpoints in")


def test_what_fastapi_adds_by_itself_is_none_of_the_applications() -> None:
    assert routes_of(FastAPI()) == ()


def test_an_application_that_is_mounted_on_itself_ends() -> None:
    app = app_of(endpoints.blocks)
    app.mount("/again", app)
    assert found("sync-engine", ENGINE, app)


def test_annotations_that_only_type_checkers_understand_do_no_harm() -> None:
    def endpoint(request, session):  # type: ignore[no-untyped-def]
        return "answer"

    endpoint.__annotations__ = {"request": "NoSuchThing", "session": "Session", "return": str}
    endpoint.__globals__["Session"] = Session
    app = Starlette(routes=[Route("/", endpoint)])
    (route,) = routes_of(app)
    assert route.in_threads == {False}


class Odd:
    """It fails when it is looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def endless() -> str:
    return "answer"


endless.__wrapped__ = endless  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "odd",
    [Odd(), object(), None, Route("/endless", endless), Mount("/odd", routes=[Odd()])],  # type: ignore[list-item]
    ids=["raising", "object", "none", "endless", "mounted"],
)
def test_an_odd_route_is_no_reason_to_be_silent_about_the_others(odd: Any) -> None:
    app = app_of(endpoints.blocks, endpoints.plain)
    app.router.routes.insert(1, odd)
    assert [route.name for route in routes_of(app)] == ["GET /blocks", "GET /plain"]
    assert number_of_routes(app) == 2


def test_an_odd_application_has_no_routes() -> None:
    class Broken:
        @property
        def routes(self) -> Any:
            raise RuntimeError

    class Empty:
        routes = None

    for app in (Broken(), Empty(), object()):
        assert routes_of(app) == ()
        assert number_of_routes(app) == 0


def test_what_is_not_understood_is_told_to_whom_wants_to_know(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "pool_observer.audit")
    app = app_of(endpoints.plain)
    app.router.routes.append(Odd())  # type: ignore[arg-type]
    routes_of(app)
    assert caplog.messages == ["a route was not understood: RuntimeError"]
