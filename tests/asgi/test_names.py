"""The name of every kind of route, as routing leaves it and as we find it ourselves."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route, Router

from pool_observer.asgi.middleware import PoolObserverMiddleware
from pool_observer.asgi.request import Request, current_request
from pool_observer.asgi.routes import MOST_MOUNTS, RouteNames
from tests.asgi.calling import call, scope_for
from tests.asgi.named_app import fastapi_app, plain, starlette_app

THING = Route("/things/{thing}", plain)
ROUTED = {"route": THING, "endpoint": plain}
WS = {"type": "websocket"}
HOST = {"headers": [(b"host", b"api.example.org")]}

ON_FASTAPI: list[tuple[str, str, dict[str, Any], str]] = [
    ("GET", "/api/v1/orders/5", {}, "GET /api/v1/orders/{order}"),
    ("POST", "/again/v1/orders/5", {}, "POST /again/v1/orders/{order}"),
    ("GET", "/api/v1/orders/5/lines/6/7", {}, "GET /api/v1/orders/{order}/lines/{line}"),
    ("GET", "/api/v1/orders/5/events", WS, "WS /api/v1/orders/{order}/events"),
    ("POST", "/items/first", {}, "POST /items/{item}"),
    ("GET", "/items/first", {}, "GET /items/first"),
    ("DELETE", "/items/5", {}, "DELETE /items/{item}"),
    ("BREW", "/items/5", {}, "OTHER /items/{item}"),
    ("HEAD", "/plain/5", {}, "HEAD /plain/{x}"),
    ("GET", "/plain/5", {}, "GET /plain/{x}"),
    ("GET", "/class/5", {}, "GET /class/{x}"),
    ("BREW", "/class/5", {}, "OTHER /class/{x}"),
    ("GET", "/openapi.json", {}, "GET /openapi.json"),
    ("GET", "/sub/things/5", {}, "GET /sub/things/{thing}"),
    ("GET", "/tenants/acme/things/5", {}, "GET /tenants/{tenant}/things/{thing}"),
    ("GET", "/tenants/acme/deeper/5/deep/6", {}, "GET /tenants/{tenant}/deeper/{p}/deep/{z}"),
    ("GET", "/tenants/acme/deeper/5/ws/6", WS, "WS /tenants/{tenant}/deeper/{p}/ws/{z}"),
    ("GET", "/static/file.txt", {}, "GET /static/{path}"),
    ("GET", "/static/missing.txt", {}, "GET /static/{path}"),
    ("GET", "/opaque/whatever", {}, "GET /opaque/{path}"),
    ("GET", "/group/5", {}, "GET /group/{g}"),
    ("GET", "/hosted/5", HOST, "GET /hosted/{x}"),
    ("GET", "/nested/5", {}, "GET /nested/{n}"),
    ("GET", "/nested/orders/5", {}, "GET /nested/orders/{order}"),
    ("GET", "/router/nested/5", {}, "GET /router/nested/{n}"),
    ("GET", "/router/nested/orders/5", {}, "GET /router/nested/orders/{order}"),
    ("GET", "/of/another/hosted/5", {}, "GET /of/another/hosted/{x}"),
    ("GET", "/nowhere", {}, "unmatched"),
    ("GET", "/nowhere", WS, "unmatched"),
    ("GET", "/sub/nowhere", {}, "unmatched"),
    ("GET", "/tenants/acme/deeper/5/nowhere", {}, "unmatched"),
    ("GET", "/group/5/nowhere", {}, "unmatched"),
    ("GET", "/hosted/5", {}, "unmatched"),
    # A proxy that has cut off a prefix, or has not: the prefix is not ours.
    ("GET", "/api/v1/orders/5", {"root_path": "/prefix"}, "GET /api/v1/orders/{order}"),
    ("GET", "/prefix/api/v1/orders/5", {"root_path": "/prefix"}, "GET /api/v1/orders/{order}"),
    ("GET", "/prefix/sub/things/5", {"root_path": "/prefix"}, "GET /sub/things/{thing}"),
    (
        "GET",
        "/prefix/tenants/acme/things/5",
        {"root_path": "/prefix"},
        "GET /tenants/{tenant}/things/{thing}",
    ),
]

ON_STARLETTE: list[tuple[str, str, dict[str, Any], str]] = [
    ("GET", "/plain/5", {}, "GET /plain/{x}"),
    ("DELETE", "/plain/5", {}, "DELETE /plain/{x}"),
    ("PROPFIND", "/propfind/5", {}, "PROPFIND /propfind/{x}"),
    ("PROPFIND", "/plain/5", {}, "OTHER /plain/{x}"),
    ("GET", "/class/5", {}, "GET /class/{x}"),
    ("GET", "/ws/5", WS, "WS /ws/{x}"),
    ("GET", "/group/5", {}, "GET /group/{g}"),
    ("GET", "/group/in/", {}, "GET /group/in/"),
    ("GET", "/tenants/acme/5", {}, "GET /tenants/{tenant}/{t}"),
    ("GET", "/static/file.txt", {}, "GET /static/{path}"),
    ("GET", "/hosted/5", HOST, "GET /hosted/{x}"),
    ("GET", "/nowhere", {}, "unmatched"),
    ("GET", "/tenants/acme/5/nowhere", {}, "unmatched"),
]


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "file.txt").write_text("file")
    return tmp_path


def named(app: Any, method: str, path: str, changes: dict[str, Any]) -> tuple[str, str]:
    """The request's name as it would be told before it is routed, and after its end."""
    names: list[str] = []
    requests: list[Request] = []

    async def outermost(scope: Any, receive: Any, send: Any) -> None:
        request = current_request()
        assert request is not None
        requests.append(request)
        scope["app"] = app
        names.append(request.name())
        with suppress(HTTPException):  # plain Starlette raises for WebSockets without a route
            await app(scope, receive, send)

    asyncio.run(call(PoolObserverMiddleware(outermost), path, method, **changes))
    return names[0], requests[0].name()


@pytest.mark.parametrize(("method", "path", "changes", "name"), ON_FASTAPI)
def test_a_route_of_fastapi_has_its_full_template_as_name(
    static: Path, method: str, path: str, changes: dict[str, Any], name: str
) -> None:
    assert named(fastapi_app(static), method, path, changes) == (name, name)


@pytest.mark.parametrize(("method", "path", "changes", "name"), ON_STARLETTE)
def test_a_route_of_starlette_has_its_full_template_as_name(
    static: Path, method: str, path: str, changes: dict[str, Any], name: str
) -> None:
    assert named(starlette_app(static), method, path, changes) == (name, name)


def test_a_mount_at_the_root_has_the_last_word() -> None:
    app = Starlette(
        routes=[Route("/plain", plain), Mount("/", Router([Route("/root/{x}", plain)]))]
    )
    assert named(app, "GET", "/root/5", {}) == ("GET /root/{x}", "GET /root/{x}")
    # Starlette prefers a mount that matches to a route that only forbids the method.
    assert named(app, "DELETE", "/plain", {}) == ("unmatched", "unmatched")


def test_what_serves_files_to_whatever_has_no_route_is_one_holder(static: Path) -> None:
    app = FastAPI()
    if not hasattr(app, "frontend"):
        pytest.skip("this FastAPI serves no frontends")
    app.frontend("/site", directory=static)
    assert named(app, "GET", "/site/file.txt", {})[1] == "GET /site/{path}"
    assert named(app, "GET", "/site/deep/missing", {})[1] == "GET /site/{path}"
    assert named(app, "GET", "/elsewhere", {})[1] == "unmatched"


def test_applications_that_leave_no_route_are_unattributed() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope.pop("app", None)
        seen.append(current_request())

    seen: list[Request | None] = []
    asyncio.run(call(PoolObserverMiddleware(app), "/anything"))
    assert seen[0] is not None
    assert seen[0].name() == "unattributed"


def test_the_mounts_that_are_remembered_are_bounded(static: Path) -> None:
    names = RouteNames()
    scope = scope_for("/", app=fastapi_app(static), app_root_path="")
    for number in range(3 * MOST_MOUNTS):
        scope.update(ROUTED, root_path=f"/tenants/{number}")
        assert names.routed(scope) == "GET /tenants/{tenant}/things/{thing}"
        assert len(names._mounts) <= MOST_MOUNTS
    assert names._mounts


def test_the_end_of_a_request_lets_go_of_everything_but_its_name(static: Path) -> None:
    class Session:
        """What an application keeps in `request.state`."""

    async def keeping(scope: Any, receive: Any, send: Any) -> None:
        session = Session()
        sessions.append(weakref.ref(session))
        scope["state"]["session"] = session
        seen.append(current_request())
        await app(scope, receive, send)

    app = fastapi_app(static)
    for path in ("/items/first", "/nowhere"):
        sessions: list[weakref.ref[Session]] = []
        seen: list[Any] = []
        headers = [(b"host", b"localhost"), (b"authorization", b"secret")]
        asyncio.run(call(PoolObserverMiddleware(keeping), path, headers=headers))
        gc.collect()
        assert sessions[0]() is None
        assert seen[0]._scope is None
        assert "secret" not in repr(seen[0]._essence)
