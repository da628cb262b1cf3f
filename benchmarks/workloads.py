"""What an application does with its pool, over and over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import get_clock_info, perf_counter_ns, thread_time_ns
from typing import Protocol

from sqlalchemy import Engine, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.attached import Attach, Attached
from benchmarks.zero_dbapi import zero_engine

STATEMENT = text("SELECT 1")

# On some systems CPU time advances in steps of many milliseconds.
_FINE_ENOUGH = get_clock_info("thread_time").resolution < 1e-6
cpu_clock = thread_time_ns if _FINE_ENOUGH else perf_counter_ns


class Running(Protocol):
    """A workload on an engine of its own, observed by one variant."""

    attached: Attached
    clock: Callable[[], int]

    def cycles(self, count: int) -> int:
        """Go round `count` times; the nanoseconds it took."""


def connect_and_close(engine: Engine, count: int) -> int:
    """Take a connection and give it back."""
    began = cpu_clock()
    for _ in range(count):
        engine.connect().close()
    return cpu_clock() - began


def connect_and_execute(engine: Engine, count: int) -> int:
    """One statement in one transaction."""
    began = cpu_clock()
    for _ in range(count):
        with engine.connect() as connection:
            connection.execute(STATEMENT)
            connection.commit()
    return cpu_clock() - began


async def sessions(session: async_sessionmaker[AsyncSession], count: int) -> int:
    """One statement in one transaction, as an asyncio application does it."""
    began = perf_counter_ns()
    for _ in range(count):
        async with session() as current:
            await current.execute(STATEMENT)
            await current.commit()
    return perf_counter_ns() - began


class ZeroCost:
    """A synchronous loop on a database that costs nothing.

    It never waits, so CPU time is all the time there is, and leaves out what other programs
    on this machine are doing.
    """

    clock = staticmethod(cpu_clock)

    def __init__(self, loop: Callable[[Engine, int], int], attach: Attach) -> None:
        self._loop = loop
        self._engine = zero_engine()
        # Before the first connection, because some listeners break on one they never saw open.
        self.attached = attach(self._engine)

    def cycles(self, count: int) -> int:
        return self._loop(self._engine, count)


class Asyncpg:
    """AsyncSession on asyncpg, one task, against a server on this machine."""

    clock = staticmethod(perf_counter_ns)

    def __init__(self, url: str, attach: Attach) -> None:
        engine = create_async_engine(url)
        self._session = async_sessionmaker(engine, expire_on_commit=False)
        self.attached = attach(engine.sync_engine)
        # After attaching: the runner copies the context variables that variants set.
        self._runner = asyncio.Runner()

    def cycles(self, count: int) -> int:
        return self._runner.run(sessions(self._session, count))


@dataclass(frozen=True)
class Workload:
    """One column of the table."""

    name: str
    start: Callable[[str, Attach], Running]
    needs_postgres: bool
    slice_ms: int
    """How long the bare variant runs at a time."""
    weight: float
    """Rounds, as a multiple of the usual: more where the machine is noisier."""


CONNECT = Workload(
    "connect + close",
    lambda _, attach: ZeroCost(connect_and_close, attach),
    needs_postgres=False,
    slice_ms=5,
    weight=1,
)
EXECUTE = Workload(
    "connect + execute + commit + close",
    lambda _, attach: ZeroCost(connect_and_execute, attach),
    needs_postgres=False,
    slice_ms=5,
    weight=1,
)
ASYNC_SESSION = Workload(
    "AsyncSession, asyncpg",
    lambda url, attach: Asyncpg(url, attach),
    needs_postgres=True,
    slice_ms=10,
    weight=3,
)

WORKLOADS = (CONNECT, EXECUTE, ASYNC_SESSION)
