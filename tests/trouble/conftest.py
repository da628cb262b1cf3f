"""A pool of two connections, observed on a clock of the test's own."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool

from pool_observer import (
    PoolObserver,
)
from tests.support import FakeClock, FakeDatabase, observer_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(database: FakeDatabase) -> Iterator[Engine]:
    engine = create_engine(
        "sqlite://",
        module=database,
        poolclass=QueuePool,
        pool_size=2,
        max_overflow=0,
        pool_timeout=0.01,
    )
    yield engine
    engine.dispose()


@pytest.fixture
def observer(
    engine: Engine, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> Iterator[PoolObserver]:
    caplog.set_level(logging.INFO, "pool_observer")
    with observer_of(engine, name="orders", clock=clock) as observer:
        yield observer
