"""What a live page measures, asked of each of its workers that can be met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pool_observer.advice.measurement import CannotMeasureError, HolderLoad, Measurement, PoolLoad
from pool_observer.advice.reading import Part

SCHEMA = 1

TRIES = 8
"""So often it is asked in vain for a worker that has not been met, before it is believed that
there is none."""

MOST_WORKERS = 256

PEAK_SECONDS = 60.0
"""How far back `peak_demand` goes."""


def is_page(answer: Any) -> bool:
    """Whether this is what a live page answers, of whatever schema."""
    return isinstance(answer, dict) and "schema" in answer and "pools" in answer


def from_page(answer: Any, ask_again: Callable[[], Any]) -> Measurement:
    """The pools of each worker. Who answers is not for us to choose, so we ask some times."""
    workers: dict[int, list[PoolLoad]] = {}
    in_vain = 0
    while True:
        pid, pools = _read(answer)
        in_vain = in_vain + 1 if pid in workers else 0
        workers.setdefault(pid, pools)
        if in_vain >= TRIES or len(workers) >= MOST_WORKERS:
            break
        answer = ask_again()
    met = f"{len(workers)} worker processes" if len(workers) > 1 else "one worker process"
    return Measurement(
        f"a live page, {met} met", tuple(pool for pools in workers.values() for pool in pools)
    )


def _read(answer: Any) -> tuple[int, list[PoolLoad]]:
    document = Part(answer)
    schema = document["schema"].value
    if schema != SCHEMA:
        shown = schema if isinstance(schema, int) and abs(schema) < 1_000_000 else "?"
        raise CannotMeasureError(
            f"this page speaks schema {shown}, and this command understands {SCHEMA}: use a "
            "pool-observer of the service's version"
        )
    pid = document["process"]["pid"].whole()
    return pid, [_pool(pool, pid) for pool in document["pools"]]


def _pool(pool: Part, pid: int) -> PoolLoad:
    settings, holders = pool["settings"], pool["holders"]
    window = holders["window_seconds"].number()
    known = not settings.is_null
    rows = [_holder(row, window) for row in holders["rows"]] if window >= 1 else []
    return PoolLoad(
        name=pool["name"].text(),
        source=f"pid {pid}",
        workers=1,
        window_seconds=window,
        peak_demand=pool["peak_demand"].whole(),
        peak_seconds=min(window, PEAK_SECONDS),
        max=pool["max"].whole_or_none(),
        size=settings["size"].whole_or_none() if known else None,
        max_overflow=_overflow(settings["max_overflow"]) if known else None,
        dialect=settings["dialect"].text() if known else "",
        driver=settings["driver"].text() if known else "",
        timed_out=sum(row["timed_out"].number() for row in holders["rows"]),
        holders=tuple(rows),
    )


def _overflow(overflow: Part) -> int | None:
    return None if overflow.value == -1 else overflow.whole_or_none()


def _holder(row: Part, window: float) -> HolderLoad:
    held = row["seconds"].number()
    checkouts = row["checkouts"].number()
    return HolderLoad(
        holder=row["holder"].text(),
        executing=row["executing_seconds"].number() / window,
        in_transaction=row["in_transaction_seconds"].number() / window,
        idle=row["idle_seconds"].number() / window,
        arrivals=checkouts / window,
        # What it has held since before this began has no checkout here.
        mean_hold=held / max(checkouts, 1),
        blamed_seconds=row["blamed_seconds"].number(),
    )
