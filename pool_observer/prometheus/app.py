"""`/metrics` as an ASGI application."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar
from urllib.parse import parse_qs

from prometheus_client import REGISTRY, CollectorRegistry

from pool_observer.asgi_types import Message, Receive, Scope, Send
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

_Result = TypeVar("_Result")


class MetricsApp:
    """Serves a registry. Two that serve the same one are equal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._turns = threading.BoundedSemaphore(MOST_AT_A_TIME)
        self._failures = Failures()
        self._workers: Workers | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetricsApp) and other.registry is self.registry

    def __hash__(self) -> int:
        return hash(self.registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await _live(receive, send)
        elif kind == "http":
            await self._answer(scope, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, send: Send) -> None:
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            await _respond(send, 405, [(b"allow", b"GET, HEAD")], b"Use GET.\n")
            return
        if not self._turns.acquire(blocking=False):
            await _respond(send, 503, [(b"retry-after", b"1")], b"Too many scrapes at a time.\n")
            return
        try:
            rendered = await _in_a_thread(lambda: self._render(scope))
        except Exception as error:
            # One of the registry's collectors, or a directory that is not there.
            self._failures.note("rendering the metrics")
            body = f"Rendering the metrics failed with {type(error).__name__}; see the log.\n"
            await _respond(send, 500, [], body.encode())
            return
        await _respond(send, 200, rendered.headers, rendered.body, head=method == "HEAD")

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
                accept=_joined(headers, b"accept"),
                accept_encoding=_joined(headers, b"accept-encoding"),
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


async def _in_a_thread(work: Callable[[], _Result]) -> _Result:
    """Do it in a thread of its own.

    The event loop's own threads will not do: in an outage, all of them may be waiting for
    connections, and that is when the metrics are wanted.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # trio's, for example
        return work()
    future: asyncio.Future[_Result] = loop.create_future()

    def settle(method: Callable[..., None], value: object) -> None:
        if not future.done():  # or else the scrape was cancelled
            method(value)

    def run() -> None:
        try:
            outcome: tuple[Callable[..., None], object] = future.set_result, work()
        except Exception as error:
            outcome = future.set_exception, error
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(settle, *outcome)

    try:
        threading.Thread(target=run, name="pool_observer-metrics", daemon=True).start()
    except RuntimeError:  # there is no thread to be had; so be it
        run()
    return await future


def _joined(headers: list[tuple[bytes, bytes]], name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in headers if key.lower() == name)


async def _respond(
    send: Send,
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    *,
    head: bool = False,
) -> None:
    start: Message = {
        "type": "http.response.start",
        "status": status,
        "headers": [
            *headers,
            *([] if status == 200 else [(b"content-type", b"text/plain; charset=utf-8")]),
            (b"content-length", str(len(body)).encode()),
            (b"vary", b"accept, accept-encoding"),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _live(receive: Receive, send: Send) -> None:
    """The life of an application that needs no preparation."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
