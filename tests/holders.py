"""Tasks, threads and requests that hold connections, for tests of where they stand."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from types import CodeType
from typing import Any
from weakref import ref

from pool_observer.call_site import RawSite
from pool_observer.claim import Claim
from pool_observer.explanation import Standing
from pool_observer.holder import Holder
from pool_observer.progress import RequestProgress
from pool_observer.standing import Look


class FakeRequest:
    """A request in its task, answered by `endpoint`."""

    expectation = None

    def __init__(self, task: asyncio.Task[Any] | None = None, endpoint: Any = None) -> None:
        self.progress = RequestProgress()
        self.progress.task = None if task is None else ref(task)
        self._endpoint = endpoint

    def name(self) -> str:
        return "GET /"

    def endpoint(self) -> CodeType | None:
        return None if self._endpoint is None else self._endpoint.__code__


def claim_of(runner: Any, holder: Holder | None = None, site: Any = None) -> Claim:
    raw: RawSite | None = None if site is None else (site.__code__, 0)
    return Claim(holder, raw, 0, None, None if runner is None else ref(runner))


def at(claim: Claim) -> Standing | None:
    with Look({}) as look:
        return look.at(claim)


def function(standing: Standing | None) -> str | None:
    return None if standing is None or standing.at is None else standing.at.function


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


@contextlib.asynccontextmanager
async def running(coroutine: Any) -> Any:
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


class Job:
    """Work for a thread that lasts until it is told to end."""

    def __init__(self) -> None:
        self.there, self.end = threading.Event(), threading.Event()

    def work(self) -> None:
        self.there.set()
        self.end.wait(30)


def other_work(job: Job) -> None:
    job.work()


@contextlib.contextmanager
def thread_at(work: Any, job: Job) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work)
    thread.start()
    assert job.there.wait(30)
    try:
        yield thread
    finally:
        job.end.set()
        thread.join()
