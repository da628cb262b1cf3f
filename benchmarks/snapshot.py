"""What looking costs: a snapshot, and one tick of the watchdog, by the number of open holds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter_ns

from benchmarks.report import header, table
from benchmarks.workloads import STATEMENT
from benchmarks.zero_dbapi import zero_engine
from pool_observer import observe

OPEN_HOLDS = (10, 1_000, 10_000)


def main(*, quick: bool) -> None:
    """Print the table."""
    print(header())
    print("\nTime with that many open holds, each in a transaction (median, slowest):\n")
    repeats = 20 if quick else 100
    rows = [_row(count, repeats) for count in OPEN_HOLDS]
    print(table(("open holds", "snapshot() ms", "slowest", "tick ms", "slowest"), rows))
    print(
        "\nA tick runs once a second in the watchdog's thread, and shares the interpreter with "
        "the application meanwhile: milliseconds / 10 is the percentage of one CPU."
    )


def _row(count: int, repeats: int) -> tuple[str, ...]:
    engine = zero_engine(pool_size=count)
    connections = []
    with observe(engine, name=f"{count} open holds") as observer:
        for _ in range(count):
            connection = engine.connect()
            connection.execute(STATEMENT)
            connections.append(connection)
        cells = (f"{count:,}", *_times(observer.snapshot, repeats), *_times(observer.tick, repeats))
        for connection in connections:
            connection.close()
    engine.dispose()
    return cells


def _times(look: Callable[[], object], repeats: int) -> tuple[str, str]:
    """The median and the longest, in milliseconds."""
    taken = []
    for _ in range(repeats):
        began = perf_counter_ns()
        look()
        taken.append((perf_counter_ns() - began) / 1_000_000)
    return f"{statistics.median(taken):.3f}", f"{max(taken):.3f}"
