"""One worker of several, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import holding
from pool_observer.prometheus.mirror import Mirror
from pool_observer.prometheus.presence import Presence
from tests.prometheus.scraped import Scraped
from tests.support import FakeClock, FakeDatabase, observer_of


def scrape(directory: Path) -> Scraped:
    """What a scrape of any worker finds."""
    return Scraped(MultiProcessCollector(None, str(directory)).collect())  # type: ignore[no-untyped-call]


class Worker:
    """A worker with a pool of at most 3 connections, on a clock of its own."""

    def __init__(self, directory: Path, name: str = "orders") -> None:
        self.clock = FakeClock()
        self.engine = FakeDatabase().engine(pool_size=2, max_overflow=1, pool_timeout=0)
        self.engine.dispose()
        self.observer = observer_of(self.engine, name=name, clock=self.clock)
        self.mirror = Mirror(directory, Presence())

    def write(self) -> None:
        self.mirror.write(self.observer.snapshot())

    def works(self) -> None:
        """Does a bit of everything."""
        with holding("POST /chat"), self.engine.connect():
            self.clock.advance(31)
            with holding("GET /"), self.engine.connect(), self.engine.connect():
                self.clock.advance(1)
                with pytest.raises(PoolTimeoutError):
                    self.engine.connect()
