"""Whether memory stays flat over many holds, and what one open hold costs."""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from sqlalchemy import Connection, Engine

from benchmarks.report import header, table
from benchmarks.workloads import STATEMENT
from benchmarks.zero_dbapi import zero_engine
from pool_observer import PoolObserver, observe
from pool_observer.holding import holding

HOLDERS = 1_000
"""More than an observer tells apart, so that its bound is part of what is tested."""

WARM_UP = 50_000
OPEN_HOLDS = 10_000
BYTES_GOAL = 2_000


def main(*, holds: int) -> None:
    """Print both tables."""
    print(header())
    print(f"\nMemory over {holds:,} holds by {HOLDERS:,} holders, one statement each:\n")
    print(_flat(holds))
    print(f"\nMemory of {OPEN_HOLDS:,} open holds, each in a transaction:\n")
    print(_open_holds())


def _flat(holds: int) -> str:
    engine = zero_engine()
    observer = observe(engine, name="memory")
    # Caches and the backlog reach their size first: what is looked for is growth without end.
    _hold(engine, WARM_UP)
    rows = [_sample("start", observer, 0.0)]
    done = 0
    began = perf_counter()
    for share in (10, 50, 100):
        _hold(engine, holds * share // 100 - done)
        done = holds * share // 100
        rows.append(_sample(f"{share} %", observer, perf_counter() - began))
    state = observer.snapshot()
    counted = sum(sum(holder.returns.values()) for holder in state.totals.holders.values())
    observer.close()
    heads = ("holds", "resident MiB", "Python blocks", "seconds")
    growth = int(rows[-1][2].replace(",", "")) - int(rows[1][2].replace(",", ""))
    return "\n".join(
        (
            table(heads, rows),
            f"From 10 % to 100 %: {growth:+,} blocks. Goal: flat.",
            f"Returns counted, warm-up included: {counted:,} of {WARM_UP + holds:,}. Events "
            f"dropped because this loop outran the watchdog: {state.totals.dropped_events:,}.",
        )
    )


def _hold(engine: Engine, count: int) -> None:
    for number in range(count):
        with holding(f"GET /items/{number % HOLDERS}"), engine.connect() as connection:
            connection.execute(STATEMENT)
            connection.commit()


def _sample(label: str, observer: PoolObserver, seconds: float) -> tuple[str, ...]:
    """Memory now, with nothing left that only waits for the watchdog."""
    observer.deliver()
    gc.collect()
    return label, _resident_mib(), f"{sys.getallocatedblocks():,}", f"{seconds:.1f}"


def _resident_mib() -> str:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return "n/a"
    pages = int(statm.read_text().split()[1])
    return f"{pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.1f}"


def _open_holds() -> str:
    bare = _bytes_per_open_hold(lambda engine: None)
    observers: list[PoolObserver] = []
    both = _bytes_per_open_hold(lambda engine: observers.append(observe(engine, name="open")))
    observers[0].close()
    ours = both - bare
    verdict = "reached" if ours < BYTES_GOAL else "MISSED"
    rows = [
        ("bare SQLAlchemy: connection, record, proxy", f"{bare:,.0f}"),
        ("with observe(engine)", f"{both:,.0f}"),
        ("ours", f"{ours:,.0f}"),
    ]
    return (
        f"{table(('bytes per open hold', 'tracemalloc'), rows)}\n"
        f"Goal: below {BYTES_GOAL:,} bytes: {verdict}."
    )


@holding("POST /chat/{id}")
def _bytes_per_open_hold(attach: Callable[[Engine], object]) -> float:
    engine = zero_engine(pool_size=OPEN_HOLDS)
    attach(engine)
    _hold(engine, 100)  # what exists once, however many holds there are
    gc.collect()
    tracemalloc.start()
    connections: list[Connection] = []
    for _ in range(OPEN_HOLDS):
        connection = engine.connect()
        connection.execute(STATEMENT)
        connections.append(connection)
    gc.collect()
    traced, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for connection in connections:
        connection.close()
    engine.dispose()
    return traced / OPEN_HOLDS
