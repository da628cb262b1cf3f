"""How late the event loop of a server runs what is due, while the server is being scraped.

The server is uvicorn, in a process of its own, which measures its own loop; what scrapes it is
this process, back to back. Prometheus asks every few seconds: what is measured here is what it
is like during those milliseconds.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any, cast
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry, make_asgi_app

from benchmarks.scrape_cost import OPEN_METRICS, collected_by_prometheus_client
from benchmarks.scrape_pool import BusyPool
from benchmarks.scrape_process import staying, wait_for_the_end
from pool_observer import metrics_app
from pool_observer.asgi_types import App, Receive, Scope, Send

PERIOD = 0.001
TURNS = 5
WORKERS = 4

BASELINE = "not scraped"
OURS = "ours: metrics_app()"
THEIRS = "prometheus_client: make_asgi_app()"
SLEEP = "sleep"
"""A task that sleeps for a millisecond."""
TURNING = f"sleep, {TURNS} awaits"
"""The same, and then goes round the loop some times, as a request does on its way."""
KINDS = (SLEEP, TURNING)


@dataclass
class Lateness:
    """What was measured under one kind of scraping, round by round. All in milliseconds."""

    median: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    tick_p99: list[float] = field(default_factory=list)
    longest: float = 0.0
    scrapes: list[float] = field(default_factory=list)
    """How long the client waited for each."""

    def add(self, ticks: Sequence[float]) -> None:
        """One round: how late each tick was, in seconds."""
        late = sorted(_at_any_instant(ticks))
        self.median.append(_quantile(late, 0.5))
        self.p99.append(_quantile(late, 0.99))
        self.tick_p99.append(_quantile(sorted(ticks), 0.99))
        self.longest = max(self.longest, late[-1] * 1000)


def _at_any_instant(ticks: Sequence[float]) -> list[float]:
    """How late it would have been, had something been due every millisecond all along.

    A ticker that is held up for 400 ms has one late tick to tell of, out of however many there
    were before; what mattered to the application were 400 milliseconds.
    """
    late = []
    for tick in ticks:
        late.append(tick)
        late += [tick - missed * PERIOD for missed in range(1, int(tick / PERIOD) + 1)]
    return late


def _quantile(ascending: Sequence[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))] * 1000


def their_app(registry: CollectorRegistry) -> App:
    """prometheus_client's own application, which renders in the event loop."""
    return cast(App, make_asgi_app(collected_by_prometheus_client(registry)))


Apps = Mapping[str, Callable[[CollectorRegistry], App]]
APPS: Apps = {OURS: metrics_app, THEIRS: their_app}

Measured = dict[tuple[str, str], Lateness]
"""By what was scraped, and the kind of tick."""


def lateness(holders: int, rounds: int, seconds: float, apps: Apps = APPS) -> Measured:
    """Measure a server whose pool has so many holders."""
    scraped = (BASELINE, *apps)
    measured = {(who, kind): Lateness() for who in scraped for kind in KINDS}
    order = random.Random(holders)
    with staying(_serve, holders, apps) as ready:
        port = ready()
        for _ in range(rounds):
            for who, kind in order.sample(list(measured), len(measured)):
                path = f"/{list(apps).index(who)}" if who in apps else None
                _measure(port, path, kind, seconds, measured[who, kind])
    return measured


def _measure(port: int, path: str | None, kind: str, seconds: float, result: Lateness) -> None:
    scraper = Scraper(port, path) if path else None
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/lateness?kind={KINDS.index(kind)}&seconds={seconds}")
        result.add(json.loads(connection.getresponse().read()))
        connection.close()
    finally:
        if scraper:
            result.scrapes += scraper.stop()


class Scraper:
    """Asks for the metrics again as soon as it has them, as Prometheus would ask."""

    def __init__(self, port: int, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._path = path
        self._taken: list[float] = []
        self._stopped = threading.Event()
        self._scrape()  # the first one warms up, and raises here if there are no metrics
        self._taken.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._scrape()

    def _scrape(self) -> None:
        began = perf_counter()
        headers = {"accept": OPEN_METRICS, "accept-encoding": "gzip"}
        self._connection.request("GET", self._path, headers=headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200 or not body:
            raise RuntimeError(f"{self._path} answers with {response.status}")
        self._taken.append((perf_counter() - began) * 1000)

    def stop(self) -> list[float]:
        """How many milliseconds each scrape took."""
        self._stopped.set()
        self._thread.join()
        self._connection.close()
        if not self._taken:
            raise RuntimeError(f"{self._path} was not scraped once")
        return self._taken


# -- the server's process --------------------------------------------------------------------


def _serve(pipe: Connection, holders: int, apps: Apps) -> None:
    """Serve these applications, and `/lateness`, which measures this loop meanwhile."""
    import uvicorn

    registry = CollectorRegistry()
    pool = BusyPool(holders, registry)
    pool.observer.tick()
    served = {f"/{number}": make(registry) for number, make in enumerate(apps.values())}
    served["/lateness"] = _tell_lateness

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await served[scope["path"]](scope, receive, send)

    # asyncio sets TCP_NODELAY only where the protocol is named.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    # What everybody has: uvloop and httptools are choices.
    config = uvicorn.Config(
        app, loop="asyncio", http="h11", lifespan="off", log_level="warning", access_log=False
    )
    server = uvicorn.Server(config)

    def end_with_the_pipe() -> None:
        wait_for_the_end(pipe)
        server.should_exit = True

    threading.Thread(target=end_with_the_pipe, daemon=True).start()
    pipe.send(listening.getsockname()[1])
    server.run(sockets=[listening])


async def _tell_lateness(scope: Scope, receive: Receive, send: Send) -> None:
    query = parse_qs(scope["query_string"].decode())
    turns = TURNS if KINDS[int(query["kind"][0])] == TURNING else 0
    seconds = float(query["seconds"][0])
    late = [tick async for tick in _ticks(seconds, turns)]
    start: Any = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)
    await send({"type": "http.response.body", "body": json.dumps(late).encode()})


async def _ticks(seconds: float, turns: int) -> AsyncIterator[float]:
    """How late each tick was, in seconds."""
    loop = asyncio.get_running_loop()
    end = perf_counter() + seconds
    while (began := perf_counter()) < end:
        await asyncio.sleep(PERIOD)
        for _ in range(turns):
            turn: asyncio.Future[None] = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn
        yield perf_counter() - began - PERIOD
