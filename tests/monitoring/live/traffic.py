"""Clients of the service."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx

PAUSE = 0.05

HEALTHY = ("GET /items/{item}", "POST /items/{item}/sell", "GET /export", "GET /catalog")
"""What is asked for all the time."""


class Clients:
    """Ask the service, each in a thread of its own. What it answers is not looked at."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(max_workers=100)

    def close(self) -> None:
        self._threads.shutdown()

    def ask(self, route: str, **parameters: object) -> None:
        """Ask, and wait for the answer."""
        method, path = route.split()
        path = path.format(item=1, user=1)
        try:
            self._client.request(method, path, params=parameters)  # type: ignore[arg-type]
        except httpx.TransportError:  # the service is not there
            return

    def begin_to_ask(self, route: str, **parameters: object) -> Future[None]:
        return self._threads.submit(self.ask, route, **parameters)

    @contextmanager
    def asking(
        self, routes: Sequence[str], clients: int = 1, pause: float = 0.0, **parameters: object
    ) -> Iterator[None]:
        """So many clients for each route, who ask again once they are answered, until the end."""
        over = threading.Event()

        def ask_again_and_again(route: str) -> None:
            while not over.is_set():
                self.ask(route, **parameters)
                over.wait(pause)

        asking = [
            self._threads.submit(ask_again_and_again, route)
            for route in routes
            for _ in range(clients)
        ]
        try:
            yield
        finally:
            over.set()
            for each in asking:
                each.result()
