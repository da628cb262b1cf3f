from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from pool_observer import PoolObserver, observe
from pool_observer.watchdog import process_prober
from tests.pgbouncer import PgBouncer, is_installed, started_pgbouncer
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


@pytest.fixture(autouse=True, scope="session")
def hurried_probes() -> Iterator[None]:
    """Probes look as often as a test asks for, rather than once a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_prober, "_tick_seconds", 0.02)
        yield


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_reaches_programs() -> None:
    """They ignore what whoever starts them ignores, as a shell's job in the background does."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """A real PgBouncer before that PostgreSQL, in transaction mode, for one test."""
    require(is_installed(), "pgbouncer (Debian: pgbouncer)")
    with started_pgbouncer(postgres) as pooler:
        yield pooler


def require(present: bool, what: str) -> None:
    """Skip where `what` is absent; in CI, where everything must be there, fail."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and in CI nothing may be")
    pytest.skip(f"{what} is not installed")
