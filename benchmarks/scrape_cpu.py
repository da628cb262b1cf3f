"""All CPU that the process spends on a checkout, with a scrape each second.

Ours, its watchdog and its scrapes, beside listeners written by hand and theirs. Each in a
process of its own.
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

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from benchmarks.attached import Attached
from benchmarks.harness import Timings
from benchmarks.peers import naive_prometheus
from benchmarks.scrape_cost import OPEN_METRICS
from benchmarks.scrape_pool import HOLDER_LIMIT, routes
from benchmarks.scrape_process import own_process
from benchmarks.workloads import connect_and_close, connect_and_execute
from benchmarks.zero_dbapi import zero_engine
from pool_observer import observe
from pool_observer.holding import holding
from pool_observer.prometheus.rendering import render

HOLDERS = (10, 200)
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

Attach = Callable[[Engine, CollectorRegistry], Attached]


def _bare(engine: Engine, registry: CollectorRegistry) -> Attached:
    return Attached()


def _ours(engine: Engine, registry: CollectorRegistry) -> Attached:
    observer = observe(engine, name="orders", registry=registry, holder_limit=HOLDER_LIMIT)
    return Attached(afterwards=observer.deliver)


BARE, NAIVE = "bare SQLAlchemy", "naive Prometheus listeners"
_SUBJECTS: dict[str, tuple[Attach, int]] = {
    BARE: (_bare, HOLDERS[-1]),
    NAIVE: (naive_prometheus.attach_to, HOLDERS[-1]),
    **{f"ours, {holders} holders": (_ours, holders) for holders in HOLDERS},
}
SUBJECTS = tuple(_SUBJECTS)


@dataclass(frozen=True)
class Situation:
    """One column of the table."""

    loop: str
    scraped: bool
    paced: bool = False

    def __str__(self) -> str:
        rate = f"{PER_SECOND:,} a second" if self.paced else "without a pause"
        return f"{self.loop}, {rate}, {'scraped each second' if self.scraped else 'not scraped'}"


SITUATIONS = (
    *(Situation(loop, scraped) for loop in LOOPS for scraped in (False, True)),
    *(Situation(loop, scraped=True, paced=True) for loop in LOOPS),
)

Results = dict[tuple[str, Situation], Timings]
"""By subject, in microseconds of CPU a checkout."""


def cpu_per_checkout(
    rounds: int, situations: Sequence[Situation], subjects: Sequence[str]
) -> Results:
    """Measure these, interleaved."""
    results = {(subject, situation): Timings() for subject in subjects for situation in situations}
    order = random.Random(0)
    with ExitStack() as processes:
        process = {subject: processes.enter_context(own_process()) for subject in subjects}
        # All get ready at a time, each in its process.
        for started in [process[subject].submit(_get_ready, subject) for subject in subjects]:
            started.result()
        for _ in range(rounds):
            for situation in situations:
                taken = {}
                for subject in order.sample(subjects, len(subjects)):
                    work = process[subject].submit(_slice, subject, situation)
                    taken[subject] = work.result()
                for subject, microseconds in taken.items():
                    results[subject, situation].own.append(microseconds)
                    results[subject, situation].bare.append(taken[BARE])
    return results


# -- the process of one subject --------------------------------------------------------------


class _Subject:
    def __init__(self, name: str) -> None:
        attach, holders = _SUBJECTS[name]
        self.engine = zero_engine()
        self.registry = CollectorRegistry()
        self.attached = attach(self.engine, self.registry)
        self.holders = cycle(routes(holders))
        for loop in LOOPS.values():
            for _ in range(holders):
                self.cycles(loop)
            self.attached.afterwards()
        self.scrape()
        gc.collect()
        gc.freeze()

    def cycles(self, loop: Callable[[Engine, int], int]) -> int:
        """A few cycles by the next holder; how many."""
        with holding(next(self.holders)):
            loop(self.engine, AT_A_TIME)
        return AT_A_TIME

    def scrape(self) -> None:
        render(self.registry, None, accept=OPEN_METRICS, accept_encoding="gzip")


@cache
def _subject(name: str) -> _Subject:
    """That of this process."""
    return _Subject(name)


def _get_ready(name: str) -> None:
    _subject(name)


def _slice(name: str, situation: Situation) -> float:
    """Microseconds of the whole process's CPU for each checkout."""
    subject = _subject(name)
    loop = LOOPS[situation.loop]
    for _ in range(AT_A_TIME):
        subject.cycles(loop)  # caches are cold
    subject.attached.afterwards()
    gc.collect()
    seconds = SECONDS_BETWEEN_SCRAPES if situation.scraped else UNSCRAPED_SECONDS
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
