"""One run of a load on a pool of a given size, what it came to, and the advice afterwards."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks.advice_loads import Load
from pool_observer import Listener, Wait, debug_app, observe
from pool_observer.advice.advising import PoolAdvice, advise
from pool_observer.advice.page import from_page
from pool_observer.advice.sizing import Split
from pool_observer.advice.text import text
from pool_observer.model import Outcome

POOL_TIMEOUT = 5.0
LONGEST_WAIT = 0.010


@dataclass
class Waits(Listener):
    """How long each caller waited."""

    queue: list[float] = field(default_factory=list)
    connect: list[float] = field(default_factory=list)
    gave_up: int = 0

    def wait_ended(self, wait: Wait) -> None:
        self.queue.append(wait.queue_seconds)
        self.connect.append(wait.connect_seconds)
        self.gave_up += wait.outcome is not Outcome.ACQUIRED

    @property
    def too_long(self) -> int:
        return sum(seconds > LONGEST_WAIT for seconds in self.queue)


@dataclass(frozen=True)
class Run:
    """What the load came to on one pool."""

    name: str
    size: Split
    waits: Waits
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

    @property
    def peak(self) -> int:
        """The most that were wanted at once."""
        return self.advice.load.peak.peak_demand

    @property
    def too_long_ratio(self) -> float:
        """The share of callers that waited for too long."""
        return self.waits.too_long / len(self.waits.queue)


def run(name: str, url: URL, size: Split, load: Load, seconds: float) -> Run:
    """The load on a pool of that size, for so long."""
    print(f"{name}: {size.connections} connections ...", file=sys.stderr)
    return asyncio.run(_run(name, url, size, load, seconds))


async def _run(name: str, url: URL, size: Split, load: Load, seconds: float) -> Run:
    engine = create_async_engine(
        url,
        pool_size=size.pool_size,
        max_overflow=size.max_overflow,
        pool_timeout=POOL_TIMEOUT,
    )
    await _warm_up(engine, size.connections)
    waits = Waits()
    with observe(engine, name="demo", registry=None) as observer:
        observer.subscribe(waits)
        page = debug_app(observer)
        gc.collect()
        gc.freeze()
        working = asyncio.ensure_future(load(engine))
        await asyncio.sleep(seconds)
        document = json.loads(json.dumps(page._document()))
        observer.deliver()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await engine.dispose()
    measurement = from_page(document, lambda: document)
    (advice,) = advise(measurement, least_seconds=seconds / 2)
    return Run(name, size, waits, advice, text([advice], measurement.source))


async def _warm_up(engine: AsyncEngine, connections: int) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await stack.enter_async_context(engine.connect())
