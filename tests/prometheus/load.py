"""Clients of the observed service, and what can be seen of it without asking our metrics."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import pairwise

import httpx
import psycopg
from sqlalchemy import URL

from tests.prometheus.observed_service import APPLICATION, FILL, HOLDERS, MAX, Service
from tests.prometheus.prometheus_server import eventually

CLIENTS_PER_WORKER = MAX + 3
LONGEST_PAUSE = 0.3
"""Seconds between two requests of a client. So a pool is mostly in use, full at times, with
callers that queue, and never full all the time: then any figure would say the same."""

SAMPLE_SECONDS = 0.02

ConnectionCounts = list[tuple[float, int]]
"""How many connections were in use, and when."""


@dataclass
class Seen:
    """What the clients have seen."""

    holds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in HOLDERS})
    """How long each request held its connection, by its own account."""

    lost: int = 0
    """Requests that were not answered, as their worker had died."""

    begun: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    async def ask(self, client: httpx.AsyncClient, holder: str) -> None:
        method, path = holder.split()
        try:
            response = await client.request(method, path.format(user=42))
        except httpx.TransportError:
            self.lost += 1
            return
        response.raise_for_status()
        self.holds[holder].append(response.json()["held"])

    async def ask_until_it_is_over(self, client: httpx.AsyncClient) -> None:
        while not self.over.is_set():
            await self.ask(client, random.choice(HOLDERS))
            await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))


def warmed_up(service: Service) -> Seen:
    """Use each route once: the series of a holder begin with its first use."""
    seen = Seen()

    async def use_each() -> None:
        async with one_connection(service) as client:
            for holder in HOLDERS:
                await seen.ask(client, holder)

    asyncio.run(use_each())
    return seen


@contextmanager
def under_load(service: Service) -> Iterator[Seen]:
    """Clients that ask without a pause, from before the block to its end."""
    seen = Seen()
    with ThreadPoolExecutor(1) as threads:
        load = threads.submit(lambda: asyncio.run(_load(service, seen)))
        try:
            eventually(lambda: seen.begun.is_set() or load.done())
            yield seen
        finally:
            seen.over.set()
        load.result()


async def _load(service: Service, seen: Seen) -> None:
    async with AsyncExitStack() as clients:
        spread = await _spread_evenly(service, clients)
        seen.begun.set()
        async with asyncio.TaskGroup() as tasks:
            for client in spread:
                tasks.create_task(seen.ask_until_it_is_over(client))


async def _spread_evenly(service: Service, open_ones: AsyncExitStack) -> list[httpx.AsyncClient]:
    """Clients with connections to all workers: whichever is quickest accepts a new one."""
    spread: list[httpx.AsyncClient] = []
    of_worker: Counter[int] = Counter()
    while len(spread) < CLIENTS_PER_WORKER * service.workers:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(one_connection(service))
            worker = (await client.get("/worker")).json()
            if of_worker[worker] < CLIENTS_PER_WORKER:
                of_worker[worker] += 1
                spread.append(client)
                open_ones.push_async_exit(stack.pop_all())
    return spread


def one_connection(service: Service) -> httpx.AsyncClient:
    """A client that has one connection and keeps it."""
    limits = httpx.Limits(max_connections=1, keepalive_expiry=None)
    # Nothing is verified over plain HTTP, but reading the certificates would take its time.
    return httpx.AsyncClient(
        base_url=service.url, limits=limits, timeout=60, verify=False, trust_env=False
    )


@contextmanager
def full_worker(service: Service) -> Iterator[int]:
    """Let one worker, whose process ID this gives, take all connections of its pool.

    It has been asked to when the block begins, and no longer when it ends.
    """
    connection = HTTPConnection(service.address)
    try:
        connection.request("GET", "/worker")
        worker = json.load(connection.getresponse())
        method, path = FILL.split()
        connection.request(method, path)
        yield worker
    finally:
        connection.close()


@contextmanager
def counting_connections(database: URL) -> Iterator[ConnectionCounts]:
    """Let PostgreSQL count the service's connections that are in use, again and again."""
    counts: ConnectionCounts = []
    over = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        counting = threads.submit(lambda: _count(database, counts, over))
        try:
            yield counts
        finally:
            over.set()
        counting.result()


def _count(database: URL, counts: ConnectionCounts, over: threading.Event) -> None:
    address = database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        while not over.wait(SAMPLE_SECONDS):
            asked = time.time()
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = %s AND state IN ('active', 'idle in transaction')",
                [APPLICATION],
            ).fetchone()
            assert row is not None
            counts.append(((asked + time.time()) / 2, row[0]))


def mean_connections(counts: ConnectionCounts, first: float, last: float) -> float:
    """The mean over time: samples come less regularly when the machine is busy."""
    within = [(moment, count) for moment, count in counts if first <= moment <= last]
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(within))
    return area / (within[-1][0] - within[0][0])
