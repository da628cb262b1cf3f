"""Measurements for the tests to be advised on."""

from __future__ import annotations

from typing import Any

from pool_observer.advice.measurement import HolderLoad, Measurement, PoolLoad

CHAT = "POST /chat/{id}"
ITEMS = "GET /items"


def holder(
    name: str,
    arrivals: float,
    *,
    executing: float = 0.0,
    in_transaction: float = 0.0,
    idle: float = 0.0,
    blamed: float = 0.0,
) -> HolderLoad:
    """A holder by the seconds that each of its holds spends on what."""
    return HolderLoad(
        name,
        arrivals * executing,
        arrivals * in_transaction,
        arrivals * idle,
        arrivals,
        executing + in_transaction + idle,
        blamed,
    )


CHATTING = holder(CHAT, 10.0, executing=0.01, in_transaction=2.99)
READING = holder(ITEMS, 200.0, executing=0.002)


def pool(*holders: HolderLoad, **changes: Any) -> PoolLoad:
    return PoolLoad(
        **{
            "name": "orders",
            "source": "pid 1",
            "workers": 1,
            "window_seconds": 300.0,
            "peak_demand": 38,
            "peak_seconds": 60.0,
            "max": 60,
            "size": 40,
            "max_overflow": 20,
            "dialect": "postgresql",
            "driver": "asyncpg",
            "timed_out": 0.0,
            "holders": holders,
            **changes,
        }
    )


def measured(*pools: PoolLoad) -> Measurement:
    return Measurement("a test", pools)
