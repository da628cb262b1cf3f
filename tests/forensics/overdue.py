"""A pool some of whose connections are overdue, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import PoolObserver, holding
from tests.support import FakeClock, FakeDatabase, observer_of

SELECT = text("SELECT 1")
HOLDER = "orders"


class OurError(Exception):
    """Raised inside pool_observer, to see where it ends up."""


def fail(*_: object, **__: object) -> Any:
    raise OurError


@dataclass(frozen=True)
class Pool:
    engine: Engine
    observer: PoolObserver
    clock: FakeClock

    @contextmanager
    def overdue(self) -> Iterator[None]:
        """A hold that is overdue. The watchdog has not come by since it is."""
        with holding(HOLDER), self.engine.connect() as connection:
            connection.execute(SELECT)
            self.clock.advance(31)
            yield

    def failures(self) -> dict[str, int]:
        return dict(self.observer.snapshot().totals.internal_errors)


@contextmanager
def a_pool(database: FakeDatabase, **options: Any) -> Iterator[Pool]:
    """A pool of two connections, observed."""
    clock = FakeClock(1_000_000_000)
    engine = database.engine(**{"pool_size": 2, "max_overflow": 0, "pool_timeout": 0} | options)
    with observer_of(engine, clock=clock, wall_clock=clock) as observer:
        yield Pool(engine, observer, clock)


def assert_works(engine: Engine) -> None:
    """Connections are to be had, used and returned, and a full pool says that it is full."""
    size = engine.pool.size()  # type: ignore[attr-defined]
    free = size - engine.pool.checkedout()  # type: ignore[attr-defined]
    held = [engine.connect() for _ in range(free)]
    for connection in held:
        connection.execute(SELECT)
    with pytest.raises(PoolTimeoutError, match=f"QueuePool limit of size {size}"):
        engine.connect()
    for connection in held:
        connection.close()
