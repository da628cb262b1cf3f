"""An application composed in every way there is, whose routes all do the same: nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles


async def leaf() -> None:
    pass


async def plain(request: Request) -> Response:
    return PlainTextResponse("")


async def accept(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("")


async def opaque(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that keeps its routes to itself."""
    await PlainTextResponse("")(scope, receive, send)


def fastapi_app(static: Path) -> FastAPI:
    inner = APIRouter(prefix="/orders")
    inner.add_api_route("/{order}", leaf)
    inner.add_api_route("/{order}/lines/{line:path}", leaf)
    inner.add_api_websocket_route("/{order}/events", accept)
    outer = APIRouter(prefix="/v1")
    outer.include_router(inner)

    deepest = Starlette(routes=[Route("/deep/{z}", plain), WebSocketRoute("/ws/{z}", accept)])
    sub = FastAPI()
    sub.add_api_route("/things/{thing}", leaf)
    sub.mount("/deeper/{p}", deepest)
    hosted = FastAPI()
    hosted.add_api_route("/hosted/{x}", leaf)

    app = FastAPI()
    app.router.routes.append(Host("api.example.org", hosted))
    app.include_router(outer, prefix="/api")
    app.include_router(outer, prefix="/again")
    app.add_api_route("/items/{item}", leaf, methods=["POST"])
    app.add_api_route("/items/first", leaf)
    app.add_route("/plain/{x}", plain)
    app.add_route("/class/{x}", Endpoint)  # type: ignore[arg-type]
    app.mount("/sub", sub)
    app.mount("/tenants/{tenant}", sub)
    app.mount("/static", StaticFiles(directory=static))
    app.mount("/opaque", opaque)
    nested = APIRouter(prefix="/nested")
    nested.add_api_route("/{n}", leaf)
    nested.include_router(inner)
    app.router.include_router(nested)
    app.mount("/router", nested)
    app.mount("/of/another", hosted.router)
    app.router.routes.append(Mount("/group", routes=[Route("/{g}", plain)]))
    return app


def starlette_app(static: Path) -> Starlette:
    return Starlette(
        routes=[
            Host("api.example.org", Router([Route("/hosted/{x}", plain)])),
            Route("/plain/{x}", plain, methods=["GET", "POST"]),
            Route("/propfind/{x}", plain, methods=["PROPFIND"]),
            Route("/class/{x}", Endpoint),
            WebSocketRoute("/ws/{x}", accept),
            Mount(
                "/group",
                routes=[Route("/{g:int}", plain), Mount("/in", Router([Route("/", plain)]))],
            ),
            Mount("/tenants/{tenant}", Starlette(routes=[Route("/{t}", plain)])),
            Mount("/static", StaticFiles(directory=static)),
        ]
    )
