"""A pool whose figures a test makes, exactly."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from pool_observer.prometheus.collector import PoolCollector
from tests.prometheus.scraped import Scraped
from tests.support import FakeClock, FakeDatabase, observer_of


class Bench:
    """An engine on a database that costs nothing, with its figures in a registry of its own."""

    def __init__(self, database: FakeDatabase, **options: Any) -> None:
        self.clock = FakeClock()
        self.database = database
        options = {"pool_size": 2, "max_overflow": 1, "pool_timeout": 0} | options
        self.engine: Engine = database.engine(**options)
        self.engine.dispose()  # what it took to set up its dialect is not to be seen
        self.observer = observer_of(
            self.engine, name="orders", clock=self.clock, leak_after=30, holder_limit=4
        )
        self.registry = CollectorRegistry()
        collector = PoolCollector(self.registry)
        collector.observers.add(self.observer)
        self.registry.register(collector)

    def scrape(self) -> Scraped:
        return Scraped.of(self.registry)

    def takes(self, seconds: dict[str, float]) -> None:
        """How long what the database is asked to do takes."""

        def work(what: str) -> None:
            self.clock.advance(seconds.get(what, 0))

        self.database.work = work
