"""What is measured by `requests`: each tool around the same applications, and ours in two ways."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import create_engine

from benchmarks.peers import middleware as peers
from benchmarks.requests_subjects import (
    ROUTES,
    TEMPLATE,
    Subject,
    Variant,
    fastapi_app,
    routed_app,
    unrouted_app,
)
from pool_observer import observe
from pool_observer.asgi.middleware import PoolObserverMiddleware
from pool_observer.asgi.request import current_request
from pool_observer.asgi_types import App
from pool_observer.model import UNATTRIBUTED


def ours(app: App, name: str) -> Subject:
    """Our middleware records a request only with a connection. Checked is that it names it."""
    named = 0

    def note_name() -> None:
        nonlocal named
        request = current_request()
        named += request is not None and request.name() == name

    return Subject(app, lambda: named, note_name)


def installed(*, server_timing: bool) -> Callable[[], Subject]:
    """Ours on a FastAPI application, as `observe(engine, app)` puts it there."""

    def make() -> Subject:
        app = fastapi_app()
        engine = create_engine("sqlite://")
        name = f"server_timing={server_timing}"
        observer = observe(engine, app, name=name, server_timing=server_timing)
        app.state.observed = engine, observer  # for as long as the application is there
        return ours(app, f"GET {TEMPLATE}")

    return make


OURS = Variant("ours", installed(server_timing=False))
OURS_ALONE = Variant(
    "ours around it", lambda: ours(PoolObserverMiddleware(routed_app), f"GET {TEMPLATE}")
)

GROUPS = (
    (
        Variant(f"bare FastAPI, {ROUTES} routes", lambda: Subject(fastapi_app())),
        # The same thing once more: how far from 0 this is, the others may be off.
        Variant("bare, a second time (noise)", lambda: Subject(fastapi_app())),
        OURS,
        Variant("ours with server_timing=True", installed(server_timing=True)),
        Variant("prometheus-fastapi-instrumentator", peers.instrumentator),
        Variant("starlette-exporter", peers.starlette_exporter),
        Variant("OTel instrumentation, no-op providers", peers.opentelemetry_no_op),
        Variant("OTel instrumentation, SDK: spans + metrics", peers.opentelemetry_sdk),
    ),
    (
        Variant("trivial ASGI app that leaves a route", lambda: Subject(routed_app)),
        OURS_ALONE,
    ),
    (
        Variant("trivial ASGI app without routes", lambda: Subject(unrouted_app)),
        Variant(
            "ours around it, unnamed",
            lambda: ours(PoolObserverMiddleware(unrouted_app), UNATTRIBUTED),
        ),
    ),
)
"""What is compared with each other; the first of each is the bare one."""

PEER_DISTRIBUTIONS = (
    "fastapi",
    "starlette",
    "prometheus-fastapi-instrumentator",
    "starlette-exporter",
    "prometheus-client",
    "opentelemetry-instrumentation-fastapi",
    "opentelemetry-sdk",
)
