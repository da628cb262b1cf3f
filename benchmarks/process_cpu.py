"""All CPU that a process spends on a checkout: the application's, its observers', their threads'.

Each subject has a process of its own, and they take turns.
"""

from __future__ import annotations

import gc
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from time import perf_counter, process_time_ns, sleep

from sqlalchemy import Engine

from benchmarks.attached import Attached
from benchmarks.harness import Timings
from benchmarks.scrape_pool import routes
from benchmarks.scrape_process import own_process
from benchmarks.workloads import connect_and_close, connect_and_execute
from pool_observer.holding import holding

AT_A_TIME = 10
"""Cycles between two changes of the holder, so that what is measured is not the changing."""
SECONDS_BETWEEN_SCRAPES = 1.0
UNSCRAPED_SECONDS = 0.2
PER_SECOND = 1_000
"""Checkouts a second where the application is not busy all the time."""

LOOPS: dict[str, Callable[[Engine, int], int]] = {
    "connect + close": connect_and_close,
    "connect + execute + commit + close": connect_and_execute,
}


@dataclass(frozen=True)
class Situation:
    """What the application does meanwhile."""

    loop: str
    scraped: bool
    paced: bool = False

    def __str__(self) -> str:
        rate = f"{PER_SECOND:,} a second" if self.paced else "without a pause"
        return f"{self.loop}, {rate}, {'scraped each second' if self.scraped else 'not scraped'}"


@dataclass(frozen=True)
class Subject:
    """An engine that something is attached to."""

    engine: Engine
    attached: Attached
    holders: int
    """How many take turns to have its connections."""
    scrape: Callable[[], object]
    """How somebody asks for figures."""


Make = Callable[[str], Subject]
"""Makes the subject of that name, in its process."""

Results = dict[tuple[str, Situation], Timings]
"""By subject, in microseconds of CPU a checkout."""


def cpu_per_checkout(
    make: Make, subjects: Sequence[str], situations: Sequence[Situation], rounds: int
) -> Results:
    """Measure these, interleaved. The first subject is the bare one."""
    results = {(subject, situation): Timings() for subject in subjects for situation in situations}
    order = random.Random(0)
    with ExitStack() as processes:
        process = {subject: processes.enter_context(own_process()) for subject in subjects}
        # All get ready at a time, each in its process.
        for started in [process[subject].submit(_get_ready, make, subject) for subject in subjects]:
            started.result()
        for _ in range(rounds):
            for situation in situations:
                taken = {}
                for subject in order.sample(subjects, len(subjects)):
                    work = process[subject].submit(_slice, make, subject, situation)
                    taken[subject] = work.result()
                for subject, microseconds in taken.items():
                    results[subject, situation].own.append(microseconds)
                    results[subject, situation].bare.append(taken[subjects[0]])
    return results


# -- the process of one subject --------------------------------------------------------------


class _AtWork:
    def __init__(self, subject: Subject) -> None:
        self._engine = subject.engine
        self._holders = cycle(routes(subject.holders))
        self.attached = subject.attached
        self.scrape = subject.scrape
        for loop in LOOPS.values():
            for _ in range(subject.holders):
                self.cycles(loop)
            self.attached.afterwards()
        self.attached.check()
        self.scrape()
        gc.collect()
        gc.freeze()

    def cycles(self, loop: Callable[[Engine, int], int]) -> int:
        """A few cycles by the next holder; how many."""
        with holding(next(self._holders)):
            loop(self._engine, AT_A_TIME)
        return AT_A_TIME


@cache
def _at_work(make: Make, name: str) -> _AtWork:
    """That of this process."""
    return _AtWork(make(name))


def _get_ready(make: Make, name: str) -> None:
    _at_work(make, name)


def _slice(make: Make, name: str, situation: Situation) -> float:
    """Microseconds of the whole process's CPU for each checkout."""
    subject = _at_work(make, name)
    loop = LOOPS[situation.loop]
    for _ in range(AT_A_TIME):
        subject.cycles(loop)  # caches are cold
    subject.attached.afterwards()
    gc.collect()
    # Those that keep a pace do little in so short a time.
    short = not (situation.scraped or situation.paced)
    seconds = UNSCRAPED_SECONDS if short else SECONDS_BETWEEN_SCRAPES
    began = process_time_ns()
    scraper = threading.Timer(seconds / 2, subject.scrape)
    if situation.scraped:
        scraper.start()
    done = 0
    for _ in _moments(seconds, situation.paced):
        done += subject.cycles(loop)
    if situation.scraped:
        scraper.join()
    subject.attached.afterwards()
    return (process_time_ns() - began) / done / 1000


def _moments(seconds: float, paced: bool) -> Iterator[None]:
    """When to go on: at once, or when it is time for it."""
    began = now = perf_counter()
    due = began
    while now < began + seconds:
        yield
        due += AT_A_TIME / PER_SECOND
        now = perf_counter()
        if paced and due > now:
            sleep(due - now)
