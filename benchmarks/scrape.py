"""What being scraped costs, and how long it keeps the application waiting."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median

from benchmarks import scrape_cpu
from benchmarks.goals import CPU_GOAL, STALL_GOAL_HOLDERS, STALL_GOAL_MS, verdict
from benchmarks.process_cpu import Results as CpuResults
from benchmarks.process_cpu import Situation
from benchmarks.report import header, table
from benchmarks.scrape_cost import Cost, Costs, scrape_costs, write_costs
from benchmarks.scrape_cpu import BARE, NAIVE, SITUATIONS, cpu_per_checkout
from benchmarks.scrape_process import apart, multiprocess_mode, other_workers
from benchmarks.scrape_stall import KINDS, OURS, WORKERS, Lateness, Measured, lateness

PEER_DISTRIBUTIONS = ("prometheus-client", "uvicorn")


@dataclass(frozen=True)
class Effort:
    """How long to measure, and what."""

    holders: tuple[int, ...]
    cost_seconds: float
    cost_rounds: int
    """At least so many, however long they take."""
    stall_rounds: int
    stall_seconds: float
    cpu_rounds: int
    situations: tuple[Situation, ...]
    subjects: tuple[str, ...]


FULL = Effort(
    holders=(10, 200, 2_000),
    cost_seconds=2,
    cost_rounds=3,
    stall_rounds=3,
    stall_seconds=0.7,
    cpu_rounds=3,
    situations=SITUATIONS,
    subjects=scrape_cpu.SUBJECTS,
)
QUICK = Effort(
    holders=(200,),
    cost_seconds=0.5,
    cost_rounds=1,
    stall_rounds=1,
    stall_seconds=0.15,
    cpu_rounds=1,
    situations=SITUATIONS[-1:],
    subjects=(BARE, NAIVE, scrape_cpu.SUBJECTS[-1]),
)

COST_EXPLANATION = """\
Medians over rounds that interleave all rows. CPU: of the thread that does it. x: the median of
what it took, divided by prometheus_client's own rendering of the same registry in the same
round. Ours lets other threads have a turn; where it takes longer than its CPU time, it did so.
A thread that computes takes such a turn for 5 ms, as long as Python lets it. With several
workers, /metrics writes this worker's figures first, which is in a row of its own here."""

WRITE_EXPLANATION = """\
What the watchdog does once a second, its snapshot included, measured in the same way."""

STALL_EXPLANATION = f"""\
Milliseconds that something due in the event loop was late, in a server (uvicorn on asyncio's
loop) that another process scrapes back to back: OpenMetrics, gzip. A task slept for 1 ms over
and over ({KINDS[0]}), or slept and then went round the loop some times ({KINDS[1]}). Medians
over rounds, and the longest of all. p50 and p99 are those of an instant picked at random: a
stall of 100 ms counts as a hundred milliseconds. Of ticks: the p99 of those that there were,
in which it counts as one. Of {WORKERS} workers one is scraped, and adds up the files of all;
the others are idle. Most of what is longer than 5 ms in ours is Python's garbage collector,
which rendering sets off and which nobody can interrupt."""

CPU_EXPLANATION = f"""\
Microseconds of the whole process's CPU for a checkout (process_time), our watchdog's work and
the scrapes' included, and what is added to bare SQLAlchemy's in the same round. A scrape is
rendered as OpenMetrics with gzip, once a second of measuring. The naive listeners have three
metrics with one label, so they have 1 series of each whoever takes a connection. Share: what
ours adds, divided by what they add. Goal: at most {CPU_GOAL:.2f}."""


def main(*, quick: bool) -> None:
    """Measure, and print the tables and the goals."""
    print(header(PEER_DISTRIBUTIONS))
    effort = QUICK if quick else FULL
    for holders in effort.holders:
        _say(f"a scrape, {holders:,} holders")
        costs = apart(scrape_costs, holders, effort.cost_seconds, effort.cost_rounds)
        print(f"\nA scrape with {holders:,} holders:\n\n{_cost_table(costs)}")
    if effort is FULL:
        holders = STALL_GOAL_HOLDERS
        _say(f"a scrape, {holders:,} holders, {WORKERS} workers")
        with multiprocess_mode(), other_workers(WORKERS - 1, holders):
            costs = apart(scrape_costs, holders, effort.cost_seconds, effort.cost_rounds)
        print(f"\nA scrape with {holders:,} holders in each of {WORKERS} workers:\n")
        print(_cost_table(costs))
    print(f"\n{COST_EXPLANATION}")

    print("\nMulti-process mode, writing once a second:\n")
    print(f"{_writes(effort)}\n\n{WRITE_EXPLANATION}")

    stalls = dict(_stalls(effort))
    print(f"\nThe event loop of a server that is being scraped:\n\n{_stall_table(stalls)}")
    print(f"\n{STALL_EXPLANATION}")

    _say("CPU for a checkout")
    cpu = cpu_per_checkout(effort.cpu_rounds, effort.situations, effort.subjects)
    print(f"\nCPU for a checkout:\n\n{_cpu_table(cpu)}\n\n{CPU_EXPLANATION}\n")
    print(_goals_table(stalls, cpu))
    if quick:
        print("\n--quick is for a first look: a goal is judged by a full run on an idle machine.")


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr)


# -- what a scrape, and a write, costs -------------------------------------------------------


def _cost_table(costs: Costs) -> str:
    rows = [
        (
            name,
            *_milliseconds(cost),
            f"{cost.size / 1024:,.0f}" if cost.size else "",
            f"{cost.elapsed.ratio:.2f}" if cost.elapsed.bare else "",
            f"{cost.cpu.ratio:.2f}" if cost.cpu.bare else "",
            str(len(cost.elapsed.own)),
        )
        for name, cost in costs.items()
    ]
    return table(("", "ms", "CPU ms", "KiB", "x", "x CPU", "rounds"), rows)


def _milliseconds(cost: Cost) -> tuple[str, str]:
    return f"{cost.elapsed.microseconds / 1000:,.2f}", f"{cost.cpu.microseconds / 1000:,.2f}"


def _writes(effort: Effort) -> str:
    rows: list[list[str]] = []
    heads = [""]
    for holders in effort.holders:
        _say(f"writing, {holders:,} holders")
        heads += [f"{holders:,} holders: ms", "CPU ms"]
        with multiprocess_mode():
            costs = apart(write_costs, holders, effort.cost_seconds / 3, effort.cost_rounds)
        rows = rows or [[name] for name in costs]
        for row, cost in zip(rows, costs.values(), strict=True):
            row += _milliseconds(cost)
    return table(heads, rows)


# -- the event loop --------------------------------------------------------------------------

Stalls = Mapping[tuple[int, bool], Measured]
"""By the number of holders, and whether there are several workers."""


def _stalls(effort: Effort) -> Iterator[tuple[tuple[int, bool], Measured]]:
    servers = [(holders, False) for holders in effort.holders] + [(STALL_GOAL_HOLDERS, True)]
    for holders, multiprocess in servers:
        _say(f"an event loop, {_server(holders, multiprocess)}")
        with multiprocess_mode() if multiprocess else nullcontext():
            others = other_workers(WORKERS - 1, holders) if multiprocess else nullcontext()
            with others:
                measured = lateness(holders, effort.stall_rounds, effort.stall_seconds)
        yield (holders, multiprocess), measured


def _server(holders: int, multiprocess: bool) -> str:
    return f"{holders:,} holders" + (f", {WORKERS} workers" if multiprocess else "")


def _stall_table(stalls: Stalls) -> str:
    heads = ["server", "scraped"]
    for kind in KINDS:
        heads += [f"{kind}: p50", "p99", "of ticks", "max"]
    rows = []
    for (holders, multiprocess), measured in stalls.items():
        for who in dict.fromkeys(who for who, _ in measured):
            cells = [_server(holders, multiprocess), who]
            for kind in KINDS:
                cells += _stall_cells(measured[who, kind])
            scrapes = [taken for kind in KINDS for taken in measured[who, kind].scrapes]
            cells.append(f"{median(scrapes):.1f}" if scrapes else "")
            rows.append(cells)
    return table([*heads, "ms a scrape"], rows)


def _stall_cells(late: Lateness) -> tuple[str, ...]:
    figures = (median(late.median), median(late.p99), median(late.tick_p99), late.longest)
    return tuple(f"{figure:,.2f}" for figure in figures)


# -- CPU for a checkout, and the goals -------------------------------------------------------


def _cpu_table(cpu: CpuResults) -> str:
    subjects = list(dict.fromkeys(subject for subject, _ in cpu))
    observed = [subject for subject in subjects if subject not in (BARE, NAIVE)]
    heads = ("", BARE, NAIVE, *(head for name in observed for head in (name, "share")))
    rows = []
    for situation in dict.fromkeys(situation for _, situation in cpu):
        row = [str(situation), f"{cpu[BARE, situation].microseconds:.2f} us"]
        row.append(f"{cpu[NAIVE, situation].added:+.2f}")
        for subject in observed:
            row.append(f"{cpu[subject, situation].added:+.2f}")
            row.append(f"{median(_shares(cpu, subject, situation)):.2f}")
        rows.append(row)
    return table(heads, rows)


def _shares(cpu: CpuResults, subject: str, situation: Situation) -> list[float]:
    """What ours adds, divided by what naive listeners add, round by round."""
    ours, naive = cpu[subject, situation], cpu[NAIVE, situation]
    return [
        (own - bare) / (other - bare)
        for own, other, bare in zip(ours.own, naive.own, ours.bare, strict=True)
    ]


def _goals_table(stalls: Stalls, cpu: CpuResults) -> str:
    rows = []
    for multiprocess in (False, True):
        measured = stalls[STALL_GOAL_HOLDERS, multiprocess]
        for kind in KINDS:
            late = measured[OURS, kind]
            goal = f"loop late at p99, {_server(STALL_GOAL_HOLDERS, multiprocess)}, {kind}"
            rows.append(_goal_row(f"{goal}, of ticks", STALL_GOAL_MS, late.tick_p99, " ms"))
            rows.append(_goal_row(f"{goal}, of any instant", STALL_GOAL_MS, late.p99, " ms"))
    for subject, situation in cpu:
        if situation.scraped and subject not in (BARE, NAIVE):
            goal = f"CPU added / by naive, {subject}: {situation}"
            rows.append(_goal_row(goal, CPU_GOAL, _shares(cpu, subject, situation), ""))
    return table(("goal", "at most", "reached", "of all rounds", "verdict"), rows)


def _goal_row(goal: str, limit: float, rounds: list[float], unit: str) -> tuple[str, ...]:
    low, high = min(rounds), max(rounds)
    return (
        goal,
        f"{limit:.2f}{unit}",
        f"{median(rounds):.2f}{unit}",
        f"{low:.2f} to {high:.2f}",
        verdict(low, high, limit),
    )
