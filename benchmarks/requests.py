"""What a middleware adds to a request, ours beside those of other tools.

All variants run in one process, so that they share the framework's code and what differs is
the middleware; the process is started anew some times over.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.harness import Effort, Timings
from benchmarks.report import header, table
from benchmarks.requests_apps import GROUPS, OURS, OURS_ALONE, PEER_DISTRIBUTIONS
from benchmarks.requests_measuring import Results, measure
from benchmarks.requests_subjects import Variant

FULL = Effort(generations=4, rounds=60)
QUICK = Effort(generations=1, rounds=30)
GOAL_US = 2.0

EXPLANATION = """\
us: CPU time of a request, the median over rounds. +us: the median, over rounds that interleave
all variants, of what a request takes longer than the bare one of its group in the same round;
in brackets its 95 % confidence interval. The row "bare, a second time" shows how far to trust
the others. No request asks for a connection: this is what every request pays. Around a trivial
app ours adds less than around FastAPI: its routes have no entrance to be watched, and ours runs
again and again with nothing between, most likely out of the CPU's caches. Without a route in
the scope ours keeps what it takes to find one later."""


def main(*, quick: bool) -> None:
    """Measure, and print the table and the goal."""
    print(header(PEER_DISTRIBUTIONS))
    effort = QUICK if quick else FULL
    results = {variant.name: Timings() for group in GROUPS for variant in group}
    for generation in range(effort.generations):
        print(f"measuring, {generation + 1} of {effort.generations} ...", file=sys.stderr)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as process:
            measured = process.submit(measure, effort.rounds, generation).result()
        for name, timings in measured.items():
            results[name].own += timings.own
            results[name].bare += timings.bare
            results[name].unavailable = results[name].unavailable or timings.unavailable
    print(f"{effort.generations} x {effort.rounds} rounds\n")
    rows = [_row(variant, group, results) for group in GROUPS for variant in group]
    print(table(("variant", "us", "+us", "95 % interval", "x"), rows))
    print(f"\n{EXPLANATION}\n")
    for variant, where in ((OURS, "FastAPI"), (OURS_ALONE, "the trivial app")):
        print(f"Goal: ours adds at most {GOAL_US:g} us to a request of {where}: ", end="")
        print(f"{_verdict(results[variant.name])}.")
    if quick:
        print("\n--quick is for a first look: a goal is judged by a full run on an idle machine.")


def _row(variant: Variant, group: Sequence[Variant], results: Results) -> tuple[str, ...]:
    timings = results[variant.name]
    if timings.unavailable:
        return variant.name, timings.unavailable, "", "", ""
    if variant is group[0]:
        return variant.name, f"{timings.microseconds:.2f}", "", "", ""
    low, high = _added_interval(timings)
    added, interval = f"{timings.added:+.2f}", f"{low:+.2f} to {high:+.2f}"
    return variant.name, f"{timings.microseconds:.2f}", added, interval, f"{timings.ratio:.3f}"


def _added_interval(timings: Timings) -> tuple[float, float]:
    """Where the median lies with 95 % confidence, as `Timings.ratio_interval` has it."""
    added = sorted(own - bare for own, bare in zip(timings.own, timings.bare, strict=True))
    low = max(0, int(len(added) / 2 - 0.98 * len(added) ** 0.5))
    return added[low], added[-1 - low]


def _verdict(timings: Timings) -> str:
    if timings.unavailable:
        return f"not measured ({timings.unavailable})"
    low, high = _added_interval(timings)
    if high <= GOAL_US:
        return "reached"
    return "MISSED" if low > GOAL_US else "too close to tell"
