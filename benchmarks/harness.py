"""Interleaved rounds, and medians of the ratios within each round.

The machine's speed changes while we measure, by more than what we want to see. So every round
runs each variant for a moment, in random order, and compares it with the bare one of that
same round; what the machine does over seconds hits all of them alike. Processes differ too,
by how their memory happens to be laid out, and stay different; so all are started anew some
times over.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.attached import Unavailable
from benchmarks.variants import TABLES
from benchmarks.worker import Worker


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    generations: int
    """Times that all processes are started anew."""
    rounds: int
    """Rounds in each generation, before a workload's weight."""


FULL = Effort(generations=3, rounds=40)
QUICK = Effort(generations=1, rounds=12)


@dataclass
class Timings:
    """What one variant took at one workload, round by round, beside the bare one."""

    own: list[float] = field(default_factory=list)
    """Microseconds a cycle."""
    bare: list[float] = field(default_factory=list)
    remark: str = ""
    unavailable: str = ""

    @property
    def microseconds(self) -> float:
        return statistics.median(self.own)

    @property
    def ratio(self) -> float:
        """The median of the ratios to bare within each round."""
        return statistics.median(self._ratios())

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """Where the median lies with 95 % confidence, as far as rounds are independent."""
        ratios = sorted(self._ratios())
        # Order statistics: how many rounds fall below their median is binomial.
        reach = 0.98 * len(ratios) ** 0.5
        low = max(0, int(len(ratios) / 2 - reach))
        return ratios[low], ratios[-1 - low]

    @property
    def added(self) -> float:
        """Microseconds that the variant adds to a cycle."""
        return statistics.median(own - bare for own, bare in zip(self.own, self.bare, strict=True))

    def _ratios(self) -> list[float]:
        return [own / bare for own, bare in zip(self.own, self.bare, strict=True)]


def compare(
    variants: str, workload: int, url: str, *, slice_ns: int, effort: Effort, weight: float
) -> list[Timings]:
    """Measure all variants of a table at one workload. Variant 0 is the bare one."""
    count = len(TABLES[variants])
    timings = [Timings() for _ in range(count)]
    order = random.Random(0)
    for _ in range(effort.generations):
        workers = [Worker(variants, variant, workload, url) for variant in range(count)]
        try:
            running = _ready(workers, timings)
            cycles = _cycles_for(workers[0], slice_ns)
            for _ in range(int(effort.rounds * weight)):
                order.shuffle(running)
                _round(workers, running, timings, cycles)
        finally:
            for worker in workers:
                worker.stop()
    return timings


def _ready(workers: Sequence[Worker], timings: Sequence[Timings]) -> list[int]:
    """The variants that work here; the others leave a reason."""
    running = []
    for variant, (worker, timing) in enumerate(zip(workers, timings, strict=True)):
        try:
            timing.remark = worker.ready()
        except Unavailable as reason:
            if variant == 0:
                raise
            timing.unavailable = str(reason)
        else:
            running.append(variant)
    return running


def _round(
    workers: Sequence[Worker], running: list[int], timings: Sequence[Timings], cycles: int
) -> None:
    """One slice of each variant, in the order given. One that fails takes no further part."""
    taken: dict[int, float] = {}
    for variant in running.copy():
        try:
            taken[variant] = workers[variant].run(cycles) / cycles / 1000
        except Unavailable as reason:
            if variant == 0:
                raise
            timings[variant].unavailable = str(reason)
            running.remove(variant)
    for variant, microseconds in taken.items():
        timings[variant].own.append(microseconds)
        timings[variant].bare.append(taken[0])


def _cycles_for(bare: Worker, slice_ns: int) -> int:
    """How many cycles the bare variant does in that time."""
    trial = 100
    return max(1, round(slice_ns * trial / min(bare.run(trial) for _ in range(3))))
