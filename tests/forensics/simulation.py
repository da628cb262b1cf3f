"""Jobs that use a pool in time that does not pass: each in a thread, one of them at a time."""

from __future__ import annotations

import heapq
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from itertools import count

from sqlalchemy import Engine

from pool_observer import PoolObserver
from tests.support import FakeClock, FakeDatabase, observer_of, wait_until

Job = Callable[[], None]

GIVE_UP_SECONDS = 300
"""What a job waits at most for a simulation that has failed. No simulation takes this long."""


class Simulation:
    """An engine on a database whose statements take as many seconds as they say."""

    def __init__(self, database: FakeDatabase, *, size: int) -> None:
        self.clock = FakeClock()
        self._size = size
        self.engine: Engine = database.engine(pool_size=size, max_overflow=0, pool_timeout=600)
        self.observer: PoolObserver = observer_of(
            self.engine, clock=self.clock, wall_clock=self.clock
        )
        database.work = self._work
        self._threads = ThreadPoolExecutor(200)
        self._due: list[tuple[int, int, Future[None]]] = []
        self._numbers = count()
        self._moving = 0
        """Jobs that are doing something, or are about to ask the pool."""
        self._lock = threading.Lock()
        self.jobs: list[Future[None]] = []
        self.waits_at_a_time = 0
        """The most that have waited at a time."""

    @property
    def second(self) -> float:
        """The time."""
        return self.clock.now / 1_000_000_000

    def begin(self, job: Job) -> None:
        """Have a job begin now."""
        self._move(1)

        def run(context: Context) -> None:
            try:
                context.run(job)
            finally:
                self._move(-1)

        self.jobs.append(self._threads.submit(run, copy_context()))
        self._let_move()

    def sleep(self, seconds: float) -> None:
        """Called by a job: go on so much later."""
        until: Future[None] = Future()
        at = self.clock.now + round(seconds * 1_000_000_000)
        with self._lock:
            heapq.heappush(self._due, (at, next(self._numbers), until))
            self._moving -= 1
        until.result(GIVE_UP_SECONDS)

    def step(self) -> None:
        """Let one second pass, and all that happens in it. The watchdog comes by at its end."""
        end = self.clock.now + 1_000_000_000
        while self._due and self._due[0][0] <= end:
            self.clock.now, _, until = heapq.heappop(self._due)
            self._move(1)
            until.set_result(None)
            self._let_move()
        self.clock.now = end
        self.observer.tick()

    def finish(self) -> None:
        """Let the time pass until all jobs are done."""
        while self._due:
            self.step()
        for job in self.jobs:
            job.result(30)
        self._threads.shutdown()

    def _work(self, statement: str) -> None:
        seconds = re.search(r"pg_sleep\(([\d.]+)\)", statement)
        if seconds is not None:
            self.sleep(float(seconds[1]))

    def _move(self, by: int) -> None:
        with self._lock:
            self._moving += by

    def _let_move(self) -> None:
        """Return when nothing moves but time: jobs sleep, are done, or wait for a connection."""
        for _ in range(1000):
            if self._is_still():
                return
            time.sleep(0)  # nearly always they are done in no time
        wait_until(self._is_still)

    def _is_still(self) -> bool:
        waits = self.observer._ledger.waits.copy().values()
        waiting = sum(claim.granted_at is None for claim in waits)
        self.waits_at_a_time = max(waiting, self.waits_at_a_time)
        # A connection that has been put back is not in use, and yet somebody's who waits.
        full = len(self.observer._ledger.holds) == self._size
        return self._moving == waiting and (full or not waiting)
