from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from pool_observer.instrumentor import PoolObserverInstrumentor
from tests.opentelemetry.instrumented import Instrument
from tests.opentelemetry.otlp_service import running
from tests.opentelemetry.receiver import receiving
from tests.opentelemetry.story import Story, be_odd, be_ordinary, be_slow, told_by
from tests.opentelemetry.told import Told
from tests.postgres import Postgres


@pytest.fixture
def told() -> Iterator[Told]:
    """Providers that remember what they are told."""
    providers = Told()
    yield providers
    providers.shutdown()


@pytest.fixture
def instrument(told: Told) -> Iterator[Instrument]:
    """Instruments until the test is over."""
    instrumentor = PoolObserverInstrumentor()
    gc.collect()  # engines of other tests

    def instrument(**options: Any) -> PoolObserverInstrumentor:
        wanted: dict[str, Any] = {
            "tracer_provider": told.tracer_provider,
            "meter_provider": told.meter_provider,
            "spans_above": 0,
        }
        instrumentor.instrument(**(wanted | options))
        return instrumentor

    yield instrument
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


@pytest.fixture(scope="package")
def story(postgres: Postgres) -> Story:
    """A service that has seen everything, and all of whose waits and holds became spans."""
    with (
        receiving() as receiver,
        running(postgres.url("asyncpg"), receiver, spans_above=0) as run,
    ):
        be_ordinary(run)
        be_slow(run)
        be_odd(run)
        return told_by(run, receiver)
