"""The goals of the design beside what was reached."""

from __future__ import annotations

from benchmarks.comparing import Results
from benchmarks.report import table
from benchmarks.variants import NAIVE_PROMETHEUS, OURS, OURS_SETTLED
from benchmarks.workloads import ASYNC_SESSION, CONNECT, EXECUTE, Workload

RATIO_GOALS = ((CONNECT, 1.40), (EXECUTE, 1.20), (ASYNC_SESSION, 1.03))
"""What a cycle with everything on may cost, as a multiple of bare."""

CPU_GOAL = 1 / 3
"""What all our work, the watchdog's included, may add, as a share of what naive listeners add."""

STALL_GOAL_MS = 10.0
"""How late an event loop may be at the 99th percentile, while its server is being scraped."""

STALL_GOAL_HOLDERS = 200
"""For how many holders that is to hold."""


def goals_table(results: Results) -> str:
    """One line for each goal."""
    rows = [_ratio_row(results, workload, limit) for workload, limit in RATIO_GOALS]
    rows += [_cpu_row(results, workload) for workload in (CONNECT, EXECUTE)]
    return table(("goal", "at most", "reached", "95 % interval", "verdict"), rows)


def _ratio_row(results: Results, workload: Workload, limit: float) -> tuple[str, ...]:
    goal = f"{workload.name}, everything on"
    timings = results[OURS, workload]
    if timings.unavailable:
        return goal, f"x{limit:.2f}", "not measured", "", ""
    low, high = timings.ratio_interval
    reached, interval = f"x{timings.ratio:.3f}", f"{low:.3f} to {high:.3f}"
    return goal, f"x{limit:.2f}", reached, interval, verdict(low, high, limit)


def verdict(low: float, high: float, limit: float) -> str:
    """Whether what was measured, which lies between these, is within the limit."""
    if high <= limit:
        return "reached"
    return "MISSED" if low > limit else "too close to tell"


def _cpu_row(results: Results, workload: Workload) -> tuple[str, ...]:
    goal = f"{workload.name}, CPU added / by naive Prometheus"
    ours, naive = results[OURS_SETTLED, workload], results[NAIVE_PROMETHEUS, workload]
    if ours.unavailable or naive.unavailable:
        return goal, f"{CPU_GOAL:.2f}", "not measured", "", ""
    share = ours.added / naive.added
    return goal, f"{CPU_GOAL:.2f}", f"{share:.2f}", "", verdict(share, share, CPU_GOAL)
