"""One act of the demo: users, a service, and what it is like for both."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL

from pool_observer.demo.counted import Counted
from pool_observer.demo.figures import Figures, Request
from pool_observer.demo.load import Mix, alone, drive
from pool_observer.demo.service import Address
from pool_observer.demo.terminal import WIDTH, Screen
from pool_observer.demo.watching import Sessions, Watcher, watcher
from pool_observer.model import Stage

ALONE = 20
"""Requests of the user who has the service to himself."""


@dataclass(frozen=True, slots=True)
class Act:
    """What it came to."""

    alone: Figures
    """By a user who has the service to himself, shortly before."""
    figures: Figures
    counted: Counted
    """By the service, of the same requests."""
    most_connections: int
    """In use at a time, by what the database says."""


async def act(at: Address, database: URL, mix: Mix, seconds: float, screen: Screen) -> Act:
    """The users come, and go; what is found out meanwhile is shown."""
    unloaded = await alone(at.url, mix, ALONE)
    async with watcher(at) as looking:
        before = await looking.counted()
        sessions, audience = Sessions(), _Audience(looking, screen, seconds)
        async with beside(sessions.watch(database)), beside(audience.watch()):
            figures = await drive(at.url, mix, seconds, audience.seen)
        counted = (await looking.counted()).since(before)
        await audience.close()
    return Act(unloaded, figures, counted, sessions.most)


@asynccontextmanager
async def beside(work: Any) -> AsyncIterator[None]:
    """That coroutine goes on meanwhile. If it fails, what it is beside goes no further."""
    try:
        async with asyncio.TaskGroup() as both:
            task = both.create_task(work)
            yield
            task.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


class _Audience:
    """Tells what goes on once a second, and the report of the first time-out."""

    def __init__(self, looking: Watcher, screen: Screen, seconds: float) -> None:
        self._looking = looking
        self._screen = screen
        self._seconds = seconds
        self._answered = self._refused = 0
        self._reported = False

    def seen(self, request: Request) -> None:
        self._answered += request.answered
        self._refused += not request.answered

    async def watch(self) -> None:
        began = time.monotonic()
        second = 0
        while True:
            second += 1
            await asyncio.sleep(max(0.0, began + second - time.monotonic()))
            pool = await self._looking.pool()
            if pool is not None:
                self._report(pool)
                self._screen.progress(second, self._progress(second, pool))

    async def close(self) -> None:
        """What came too late for the last second."""
        pool = await self._looking.pool()
        if pool is not None:
            self._report(pool, even_if_over=True)

    def _progress(self, second: int, pool: dict[str, Any]) -> str:
        when = f"{second:>4} s" if second <= self._seconds else "  last"
        # Who is given a connection, and tests it first, waits for nobody.
        queue = pool["waiting"] - sum(wait["stage"] != Stage.QUEUE for wait in pool["waits"])
        return (
            f"{when}  {pool['used']:>2} of {pool['max']} connections held, {queue:>2} "
            f"wait; {self._answered} answered, {self._refused} failed"
        )

    def _report(self, pool: dict[str, Any], *, even_if_over: bool = False) -> None:
        """One that was made while the pool was full of those who await the model, if there is."""
        if self._reported:
            return
        telling = (f"all {pool['max']} connections held", "before this await")
        for incident in pool["incidents"]:
            tells = all(each in incident["text"] for each in telling)
            if incident["kind"] == "timed_out" and (tells or even_if_over):
                self._reported = True
                screen = self._screen
                screen.say()
                screen.say(screen.styled("What pool_observer says of the first time-outs:", "bold"))
                screen.say(wrapped(incident["text"]))
                screen.say()


def wrapped(report: str, indent: str = "  ") -> str:
    """The report as it is, on lines that fit; what goes on is indented further."""
    lines = []
    for line in report.splitlines():
        begin = indent + line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line.lstrip(),
            WIDTH - 3,
            initial_indent=begin,
            subsequent_indent=f"{begin}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
