"""What looking costs: a snapshot, an explanation, one tick of the watchdog, by open holds."""

from __future__ import annotations

import logging
import math
import statistics
from collections.abc import Callable
from time import perf_counter_ns

from benchmarks.report import header, table
from benchmarks.workloads import STATEMENT
from benchmarks.zero_dbapi import zero_engine
from pool_observer import observe
from pool_observer.forensics import MOST_EXPLAINED, MOST_IN_A_NOTE

OPEN_HOLDS = (10, 1_000, 10_000)

COLUMNS = (
    "open holds",
    *("snapshot() ms", "slowest"),
    *("explain() ms", "slowest"),
    *("tick ms", "slowest"),
    "tick when all turn overdue ms",
)


def main(*, quick: bool) -> None:
    """Print the table."""
    print(header())
    print("\nTime with that many open holds, each in a transaction (median, slowest):\n")
    repeats = 20 if quick else 100
    rows = [_row(count, repeats) for count in OPEN_HOLDS]
    print(table(COLUMNS, rows))
    print(
        "\nA tick runs once a second in the watchdog's thread, and shares the interpreter with "
        "the application meanwhile: milliseconds / 10 is the percentage of one CPU. explain() "
        f"looks into {MOST_EXPLAINED} holds at most. It is what a time-out costs whoever gets it, "
        f"with {MOST_IN_A_NOTE} holds at most, four times a second at most."
    )


def _row(count: int, repeats: int) -> tuple[str, ...]:
    engine = zero_engine(pool_size=count)
    connections = []
    # What it logs goes nowhere: the application's handlers are not ours to measure.
    logging.getLogger("pool_observer.incidents").addFilter(lambda _: False)
    with observe(engine, name=f"{count} open holds", leak_after=math.inf) as observer:
        for _ in range(count):
            connection = engine.connect()
            connection.execute(STATEMENT)
            connections.append(connection)
        looks = (observer.snapshot, observer.explain, observer.tick)
        cells = [cell for look in looks for cell in _times(look, repeats)]
        observer._ledger._overdue_ns = 0
        cells.append(_times(observer.tick, 1)[0])
        for connection in connections:
            connection.close()
    engine.dispose()
    return f"{count:,}", *cells


def _times(look: Callable[[], object], repeats: int) -> tuple[str, str]:
    """The median and the longest, in milliseconds."""
    taken = []
    for _ in range(repeats):
        began = perf_counter_ns()
        look()
        taken.append((perf_counter_ns() - began) / 1_000_000)
    return f"{statistics.median(taken):.3f}", f"{max(taken):.3f}"
