"""What one scrape costs, in parts, beside prometheus_client's own rendering of the same thing.

And what it costs to keep the figures in the files of the multi-process mode.
"""

from __future__ import annotations

import gc
import gzip
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, perf_counter_ns, thread_time_ns

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from benchmarks.harness import Timings
from benchmarks.scrape_pool import BusyPool
from pool_observer.prometheus.exporting import multiprocess_directory, write_now
from pool_observer.prometheus.rendering import render
from pool_observer.prometheus.workers import Workers

PLAIN = "text/plain;version=0.0.4"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0"
FORMATS = {"plain text": PLAIN, "OpenMetrics": OPEN_METRICS}

MOST_ROUNDS = 100
MOST_HOLDERS_WHILE_BUSY = 200
"""With more, a scrape takes many seconds while another thread computes."""
CHANGED_SHARE = 10
"""One in so many holders has done something since the last write."""

FIRST = "write, all series new"
UNCHANGED = "write, no holder changed"
CHANGED = f"write, {100 // CHANGED_SHARE} % of holders changed"


@dataclass
class Cost:
    """What one thing took, round by round, in microseconds."""

    elapsed: Timings = field(default_factory=Timings)
    cpu: Timings = field(default_factory=Timings)
    size: int = 0
    """Bytes of the body, if there is one."""


Work = Callable[[], object]


@dataclass(frozen=True)
class _Part:
    work: Work
    peer: str = ""
    """The part that it is compared with."""
    before: Work = bool
    """Done before it each time, and not measured."""


Costs = dict[str, Cost]


def scrape_costs(holders: int, seconds: float, rounds: int) -> Costs:
    """The parts of a scrape, and whole ones, in this process."""
    registry = CollectorRegistry()
    pool = BusyPool(holders, registry, watched=False)
    directory = multiprocess_directory()
    parts = {"snapshot()": _Part(pool.observer.snapshot)}
    if directory is None:
        parts["snapshot and collect"] = _Part(lambda: list(registry.collect()))
        before: Work = bool
    else:
        parts[UNCHANGED] = _Part(write_now)
        before = write_now
    source = collected_by_prometheus_client(registry)
    workers = None if directory is None else Workers(directory)

    def ours(accept: str, encoding: str) -> bytes:
        return render(registry, workers, accept=accept, accept_encoding=encoding).body

    def theirs(accept: str, encoding: str) -> bytes:
        body = choose_encoder(accept)[0](source)
        return gzip.compress(body) if encoding else body

    for name, accept in FORMATS.items():
        for encoding in ("", "gzip"):
            what = f"{name}, gzip" if encoding else name
            peer = f"prometheus_client: {what}"
            parts[peer] = _Part(partial(theirs, accept, encoding), before=before)
            parts[f"ours: {what}"] = _Part(partial(ours, accept, encoding), peer, before)
    if holders <= MOST_HOLDERS_WHILE_BUSY:
        what = "OpenMetrics, gzip, while another thread computes"
        peer = f"prometheus_client: {what}"
        parts[peer] = _Part(_while_busy(partial(theirs, OPEN_METRICS, "gzip")), before=before)
        parts[f"ours: {what}"] = _Part(
            _while_busy(partial(ours, OPEN_METRICS, "gzip")), peer, before
        )
    return _measured(parts, seconds, rounds)


def _while_busy(work: Work) -> Work:
    """Do it beside a thread that never waits for anything, as far as Python lets both."""

    def contended() -> object:
        done = False

        def compute() -> None:
            while not done:
                sum(range(100))

        thread = threading.Thread(target=compute, daemon=True)
        thread.start()
        try:
            return work()
        finally:
            done = True
            thread.join()

    return contended


def collected_by_prometheus_client(registry: CollectorRegistry) -> CollectorRegistry:
    """What an application without us renders: this registry, or the files of all workers."""
    if multiprocess_directory() is None:
        return registry
    source = CollectorRegistry()
    MultiProcessCollector(source)  # type: ignore[no-untyped-call]
    return source


def write_costs(holders: int, seconds: float, rounds: int) -> Costs:
    """What the watchdog does once a second in multi-process mode, in this process."""
    pool = BusyPool(holders, CollectorRegistry(), watched=False)
    first = Cost()
    elapsed, cpu, _ = _timed(write_now)
    first.elapsed.own.append(elapsed)
    first.cpu.own.append(cpu)
    order = random.Random(0)
    parts = {
        "snapshot()": _Part(pool.observer.snapshot),
        UNCHANGED: _Part(write_now, before=write_now),
        CHANGED: _Part(
            write_now,
            before=lambda: pool.work(order.sample(pool.holders, max(1, holders // CHANGED_SHARE))),
        ),
    }
    return {FIRST: first, **_measured(parts, seconds, rounds)}


def _measured(parts: dict[str, _Part], seconds: float, rounds: int) -> Costs:
    """Rounds of all parts in random order, for about so long, and at least so many."""
    order = random.Random(0)
    costs = {name: Cost() for name in parts}
    end = perf_counter() + seconds
    for done in range(MOST_ROUNDS):
        if done >= rounds and perf_counter() > end:
            break
        for name in order.sample(list(parts), len(parts)):
            part = parts[name]
            part.before()
            elapsed, cpu, result = _timed(part.work)
            costs[name].elapsed.own.append(elapsed)
            costs[name].cpu.own.append(cpu)
            if isinstance(result, bytes):
                costs[name].size = len(result)
        for name, part in parts.items():
            if part.peer:
                costs[name].elapsed.bare.append(costs[part.peer].elapsed.own[-1])
                costs[name].cpu.bare.append(costs[part.peer].cpu.own[-1])
    return costs


def _timed(work: Work) -> tuple[float, float, object]:
    """Microseconds elapsed, those of this thread's CPU, and the result."""
    gc.collect()
    began, began_cpu = perf_counter_ns(), thread_time_ns()
    result = work()
    cpu, elapsed = thread_time_ns() - began_cpu, perf_counter_ns() - began
    return elapsed / 1000, cpu / 1000, result
