"""Processes that start from nothing, as workers of a server do.

Whether prometheus_client counts for one process or for many is decided when it is imported. So
these are spawned, and have the environment variable from the beginning or never.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar
from unittest import mock

from prometheus_client import CollectorRegistry

from benchmarks.scrape_pool import BusyPool
from pool_observer.prometheus.exporting import DIRECTORY

READY_SECONDS = 60

_spawn = multiprocessing.get_context("spawn")
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@contextmanager
def own_process() -> Iterator[ProcessPoolExecutor]:
    """A process for work that is submitted one after the other."""
    with ProcessPoolExecutor(max_workers=1, mp_context=_spawn) as process:
        yield process


def apart(
    work: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    """Do it in a process of its own."""
    with own_process() as process:
        return process.submit(work, *args, **kwargs).result()


@contextmanager
def staying(serve: Callable[..., None], *arguments: object) -> Iterator[Callable[[], Any]]:
    """A process that runs `serve(pipe, *arguments)`; waits for what it sends when it is ready.

    It ends when its pipe does.
    """
    pipe, theirs = _spawn.Pipe()
    process = _spawn.Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()

    def ready() -> Any:
        if not pipe.poll(READY_SECONDS):
            raise RuntimeError(f"{serve.__name__} is not ready within {READY_SECONDS} seconds")
        return pipe.recv()

    try:
        yield ready
    finally:
        pipe.close()
        process.join(timeout=5)
        process.kill()


@contextmanager
def multiprocess_mode() -> Iterator[None]:
    """Processes that are started meanwhile share their figures, in a directory of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="pool_observer_bench_") as directory,
        mock.patch.dict(os.environ, {DIRECTORY: directory}),
    ):
        yield


@contextmanager
def other_workers(count: int, holders: int) -> Iterator[None]:
    """So many workers that have worked, are alive, and are idle now."""
    with ExitStack() as workers:
        started = [workers.enter_context(staying(_be_a_worker, holders)) for _ in range(count)]
        for ready in started:
            ready()
        yield


def _be_a_worker(pipe: Connection, holders: int) -> None:
    pool = BusyPool(holders, CollectorRegistry())
    pool.observer.tick()
    pipe.send(None)
    wait_for_the_end(pipe)


def wait_for_the_end(pipe: Connection) -> None:
    """Return when the parent has closed its end of the pipe, or is no more."""
    try:
        pipe.recv()
    except (EOFError, OSError):
        return
