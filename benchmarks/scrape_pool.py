"""A pool as it is when it is scraped: many holders, some of which hold connections right now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from sqlalchemy import Connection

from benchmarks.workloads import STATEMENT
from benchmarks.zero_dbapi import zero_engine
from pool_observer import observe
from pool_observer.holding import holding
from pool_observer.watchdog import process_watchdog

POOL_SIZE = 20
OPEN_HOLDS = 10
CYCLES = 3
HOLDER_LIMIT = 5_000
METHODS = ("GET", "POST", "PUT", "DELETE")


def routes(count: int) -> list[str]:
    """So many holders, named as the routes of an application are."""
    return [
        f"{METHODS[number % len(METHODS)]} /api/v1/resources{number // len(METHODS)}/{{item_id}}"
        for number in range(count)
    ]


class BusyPool:
    """An observed engine whose holders have all been at work."""

    def __init__(self, holders: int, registry: CollectorRegistry, *, watched: bool = True) -> None:
        self._engine = zero_engine(pool_size=POOL_SIZE)
        self.observer = observe(
            self._engine, name="orders", registry=registry, holder_limit=HOLDER_LIMIT
        )
        if not watched:
            process_watchdog.unwatch(self.observer)
        self.holders: Sequence[str] = routes(holders)
        for _ in range(CYCLES):
            self.work(self.holders)
        self._open = [self._hold(name) for name in self.holders[:OPEN_HOLDS]]

    def work(self, holders: Iterable[str]) -> None:
        """One statement by each of these, and all of it counted."""
        for name in holders:
            with holding(name), self._engine.connect() as connection:
                connection.execute(STATEMENT)
                connection.commit()
        self.observer.deliver()

    def _hold(self, holder: str) -> Connection:
        with holding(holder):
            connection = self._engine.connect()
        connection.execute(STATEMENT)
        return connection
