"""What a middleware is put around: applications that do next to nothing, of two kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from benchmarks.attached import nothing, peer_module
from pool_observer.asgi.request import Request
from pool_observer.asgi.routes import RouteNames
from pool_observer.asgi_types import App, Receive, Scope, Send

ROUTES = 50
REQUESTED = ROUTES // 2
"""In the middle: an application's routes are tried one after the other."""

TEMPLATE = f"/items{REQUESTED}/{{item_id}}"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY = {"type": "http.response.body", "body": b"ok"}


@dataclass(frozen=True)
class Subject:
    """An application with a tool attached."""

    app: App
    recorded: Callable[[], float] | None = None
    """How many requests the tool has recorded, if there is one. Asked only after measuring."""
    during: Callable[[], object] = nothing
    """Called from within requests while that is checked."""


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    make: Callable[[], Subject]


def fastapi_app() -> Any:
    """FastAPI with many routes, which do nearly nothing: what remains is the framework."""
    fastapi = peer_module("fastapi")
    prepared = fastapi.Response(b"ok")

    async def item(item_id: int) -> Any:
        return prepared

    app = fastapi.FastAPI()
    for number in range(ROUTES):
        app.add_api_route(f"/items{number}/{{item_id}}", item, response_model=None)
    return app


async def unrouted_app(scope: Scope, receive: Receive, send: Send) -> None:
    """The least that answers a request."""
    await send(START)
    await send(BODY)


ROUTE = SimpleNamespace(endpoint=unrouted_app, path_format=TEMPLATE, methods={"GET"})


async def routed_app(scope: Scope, receive: Receive, send: Send) -> None:
    """The same, leaving in the scope what FastAPI's routing does."""
    scope["route"] = ROUTE
    scope["endpoint"] = unrouted_app
    await send(START)
    await send(BODY)


def a_request() -> Request:
    """A request in the middle of its handler, as our middleware has it."""
    scope = {"type": "http", "method": "GET", "route": ROUTE, "endpoint": ROUTE.endpoint}
    return Request(scope, RouteNames())
