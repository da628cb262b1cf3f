"""A pool on a clock of the test's own, whose waits and holds become spans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from pool_observer import PoolObserver
from pool_observer.opentelemetry.exporting import export
from tests.opentelemetry.told import Told
from tests.support import FakeClock, FakeDatabase, observer_of

SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND
POOL = "db.client.connection.pool.name"


@dataclass
class Bench:
    """A pool of two on a clock of the test's own, all of whose waits and holds become spans."""

    database: FakeDatabase
    clock: FakeClock
    engine: Engine
    observer: PoolObserver
    told: Told

    def spans(self, name: str | None = None) -> list[Any]:
        self.observer.deliver()
        return list(self.told.spans(name))

    def span(self, name: str) -> Any:
        (found,) = self.spans(name)
        return found

    def at(self, seconds: float) -> int:
        """What the wall clock says at that time of the test's."""
        return EPOCH + round(seconds * SECOND)


@contextmanager
def bench_of(database: FakeDatabase, told: Told, **settings: Any) -> Iterator[Bench]:
    clock = FakeClock()
    engine = database.engine(pool_size=2, max_overflow=0, pool_timeout=0)
    wall_clock = lambda: EPOCH + clock.now  # noqa: E731
    with observer_of(engine, name="orders", clock=clock, wall_clock=wall_clock) as observer:
        export(observer, told.settings(**settings))
        yield Bench(database, clock, engine, observer, told)
