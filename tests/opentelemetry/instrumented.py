"""Engines under `PoolObserverInstrumentor`, and what OpenTelemetry is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from pool_observer.instrumentor import PoolObserverInstrumentor
from pool_observer.wiring import observers_in_use
from tests.opentelemetry.told import Told

POOL = "db.client.connection.pool.name"

Instrument = Callable[..., PoolObserverInstrumentor]


def sqlite(**options: Any) -> Engine:
    return create_engine("sqlite:////dev/null", poolclass=QueuePool, **options)


def deliver() -> None:
    for observer in observers_in_use():
        observer.deliver()


def pools(told: Told) -> set[str]:
    """The pools that OpenTelemetry is told of now."""
    metric = told.metrics().get("db.client.connection.max")
    found = () if metric is None else metric.data.data_points
    return {point.attributes[POOL] for point in found}
