"""All variants of a table at every workload: measures them, and prints what a cycle costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.harness import Effort, Timings, compare
from benchmarks.report import Footnotes, table
from benchmarks.variants import TABLES, Variant
from benchmarks.workloads import WORKLOADS, Workload

Results = Mapping[tuple[Variant, Workload], Timings]


def measured(variants: str, effort: Effort, *, postgres: bool) -> Results:
    """What the variants of this table take, as far as they can be measured here."""
    results: dict[tuple[Variant, Workload], Timings] = {}
    missing = "" if postgres else "left out by --no-postgres"
    for number, workload in enumerate(WORKLOADS):
        if workload.needs_postgres and missing:
            timings = [Timings(unavailable=missing) for _ in TABLES[variants]]
        else:
            print(f"measuring {workload.name} ...", file=sys.stderr)
            try:
                with _server(workload) as url:
                    timings = compare(
                        variants,
                        number,
                        url,
                        slice_ns=workload.slice_ms * 1_000_000,
                        effort=effort,
                        weight=workload.weight,
                    )
            except ModuleNotFoundError as error:
                missing = f"{error.name} is not installed"
                timings = [Timings(unavailable=missing) for _ in TABLES[variants]]
        results |= {
            (variant, workload): timing
            for variant, timing in zip(TABLES[variants], timings, strict=True)
        }
    return results


@contextmanager
def _server(workload: Workload) -> Iterator[str]:
    """The URL of a server, where the workload needs one."""
    if not workload.needs_postgres:
        yield ""
        return
    from tests.postgres import started_postgres

    with started_postgres() as server:
        yield server.url("asyncpg").render_as_string(hide_password=False)


def rounds(effort: Effort) -> str:
    """A line that says how long was measured."""
    heavier = next(workload.weight for workload in WORKLOADS if workload.needs_postgres)
    return (
        f"{effort.generations} x {effort.rounds} rounds, "
        f"{heavier:g} times as many with PostgreSQL (over a Unix socket)"
    )


def cycles_table(variants: str, results: Results) -> str:
    """A row for each variant, with footnotes."""
    footnotes = Footnotes()
    heads = ["variant"]
    for workload in WORKLOADS:
        heads += [workload.name, "+us"]
    rows = []
    for variant in TABLES[variants]:
        cells = [variant.name]
        for workload in WORKLOADS:
            is_bare = variant is TABLES[variants][0]
            cells += _cells(results[variant, workload], footnotes, is_bare=is_bare)
        rows.append(cells)
    return "\n".join(filter(None, (table(heads, rows), str(footnotes))))


def _cells(timing: Timings, footnotes: Footnotes, *, is_bare: bool) -> tuple[str, str]:
    if timing.unavailable:
        return f"n/a {footnotes.mark(timing.unavailable)}", ""
    mark = f" {footnotes.mark(timing.remark)}" if timing.remark else ""
    if is_bare:
        return f"{timing.microseconds:.2f} us", ""
    low, high = timing.ratio_interval
    return f"x{timing.ratio:.2f} ({low:.2f}-{high:.2f}){mark}", f"{timing.added:+.1f}"
