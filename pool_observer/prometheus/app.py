"""`/metrics` as an ASGI application."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs

from prometheus_client import REGISTRY, CollectorRegistry

from pool_observer.answering import HttpApp, in_a_thread, joined, respond
from pool_observer.asgi_types import Scope, Send
from pool_observer.failures import Failures
from pool_observer.prometheus.exporting import (
    check_registry,
    multiprocess_directory,
    write_now,
)
from pool_observer.prometheus.rendering import Rendered, render
from pool_observer.prometheus.workers import Workers

MOST_AT_A_TIME = 8
"""Scrapes rendered at a time. More than any Prometheus needs is a mistake, or an attack."""

_VARY = b"accept, accept-encoding"


class MetricsApp(HttpApp):
    """Serves a registry. Two that serve the same one are equal."""

    instead = (
        "Its metrics are on the registry that observe() was given (registry=...): by default on "
        "prometheus_client's own."
    )
    """What to do where the application answers on this path itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._turns = threading.BoundedSemaphore(MOST_AT_A_TIME)
        self._failures = Failures()
        self._workers: Workers | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetricsApp) and other.registry is self.registry

    def __hash__(self) -> int:
        return hash(self.registry)

    async def answer(self, scope: Scope, send: Send) -> None:
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            allow = (b"allow", b"GET, HEAD")
            await respond(send, 405, [allow], b"Use GET.\n", vary=_VARY)
            return
        if not self._turns.acquire(blocking=False):
            retry_after = (b"retry-after", b"1")
            await respond(send, 503, [retry_after], b"Too many scrapes at a time.\n", vary=_VARY)
            return
        try:
            rendered = await in_a_thread(lambda: self._render(scope), "pool_observer-metrics")
        except Exception as error:
            # One of the registry's collectors, or a directory that is not there.
            self._failures.note("rendering the metrics")
            body = f"Rendering the metrics failed with {type(error).__name__}; see the log.\n"
            await respond(send, 500, [], body.encode(), vary=_VARY)
            return
        head = method == "HEAD"
        await respond(send, 200, rendered.headers, rendered.body, vary=_VARY, head=head)

    def _all_workers(self) -> Workers | None:
        """Those whose figures are to be added up, our own brought up to date."""
        directory = multiprocess_directory()
        if directory is None:
            return None
        write_now()
        workers = self._workers
        if workers is None or workers.directory != directory:
            workers = self._workers = Workers(directory)
        return workers

    def _render(self, scope: Scope) -> Rendered:
        try:
            headers = scope.get("headers", ())
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            return render(
                self.registry,
                self._all_workers(),
                accept=joined(headers, b"accept"),
                accept_encoding=joined(headers, b"accept-encoding"),
                names=query.get("name[]", ()),
            )
        finally:
            self._turns.release()


def metrics_app(registry: CollectorRegistry = REGISTRY) -> MetricsApp:
    """An ASGI application that serves the metrics of a registry, for any server or framework.

    `observe(engine, app)` mounts it; those who compose by hand do it themselves:
    `app.mount("/metrics", metrics_app())`, or give it a port of its own. The metrics are
    rendered in a thread, so that the event loop goes on; with several workers, they are those
    of all of them.
    """
    return MetricsApp(check_registry(registry))
