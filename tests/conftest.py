from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from pool_observer import PoolObserver, observe
from tests.postgres import Postgres, started_postgres
from tests.support import FakeDatabase

Observe = Callable[..., PoolObserver]


@pytest.fixture
def observed() -> Iterator[Observe]:
    """`observe()`, with the observers closed when the test is over."""
    observers: list[PoolObserver] = []
    engines: list[Engine | AsyncEngine] = []  # an engine that is dropped is observed no more

    def observe_until_the_end(engine: Engine | AsyncEngine, **options: object) -> PoolObserver:
        observer = observe(engine, **options)  # type: ignore[arg-type]
        observers.append(observer)
        engines.append(engine)
        return observer

    yield observe_until_the_end
    for observer in observers:
        observer.close()
    for engine in engines:
        if isinstance(engine, Engine):  # others are disposed of in their loops
            engine.dispose()


@pytest.fixture
def database() -> FakeDatabase:
    """A database that costs nothing and does what the test says."""
    return FakeDatabase()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for the whole session."""
    with started_postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for one test, which may stop and start it."""
    with started_postgres() as server:
        yield server


def require(present: bool, what: str) -> None:
    """Skip where `what` is absent; in CI, where everything must be there, fail."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI nothing may be")
    pytest.skip(f"{what} is not installed")
