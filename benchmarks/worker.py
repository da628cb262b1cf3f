"""One variant at one workload, in a process of its own that runs when it is told to.

A process each, because variants do not leave each other alone otherwise: the OpenTelemetry
instrumentation patches SQLAlchemy for everybody, and the interpreter specialises SQLAlchemy's
shared code for the objects it meets there.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from benchmarks.attached import Unavailable
from benchmarks.requests_subjects import a_request
from benchmarks.variants import TABLES
from benchmarks.workloads import WORKLOADS, Running
from pool_observer.holder import current_holder

WARM_UP_CYCLES = 300
WARM_UP_SLICE = 10
READY_SECONDS = 60

# Forks of a server that has imported everything: they start at once, and are more alike than
# processes that have each imported everything at addresses of their own.
_start_process: Callable[..., BaseProcess]
if "forkserver" in multiprocessing.get_all_start_methods():
    multiprocessing.set_forkserver_preload(["benchmarks.worker"])
    _start_process = multiprocessing.get_context("forkserver").Process
else:
    _start_process = multiprocessing.get_context("spawn").Process


class Worker:
    """The parent's handle on such a process."""

    def __init__(self, variants: str, variant: int, workload: int, url: str) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        arguments = (theirs, variants, variant, workload, url)
        self._process = _start_process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def ready(self) -> str:
        """Wait until it is warm. Returns its remark, or raises `Unavailable`."""
        if not self._pipe.poll(READY_SECONDS):
            raise Unavailable(f"not ready within {READY_SECONDS} seconds")
        available, remark = self._receive()
        if not available:
            raise Unavailable(remark)
        return str(remark)

    def run(self, cycles: int) -> int:
        """The nanoseconds that so many cycles took."""
        self._pipe.send(cycles)
        return int(self._receive())

    def _receive(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Unavailable("failed while it was measured; see the traceback above") from error

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(timeout=5)
        self._process.kill()


def _serve(pipe: Connection, variants: str, variant: int, workload: int, url: str) -> None:
    """The process: report that it is ready, then run slices until the parent goes away."""
    current_holder.set(a_request())
    try:
        running = WORKLOADS[workload].start(url, TABLES[variants][variant].attach)
        running.cycles(WARM_UP_CYCLES)
        running.attached.afterwards()
        running.attached.check()
    except Exception as error:
        reason = (
            str(error) if isinstance(error, Unavailable) else f"{type(error).__name__}: {error}"
        )
        pipe.send((False, reason.partition("\n")[0]))
        return
    # What exists now is left out of later collections, which are then about what cycles leave.
    gc.collect()
    gc.freeze()
    pipe.send((True, running.attached.remark))
    while True:
        try:
            cycles = pipe.recv()
        except EOFError:
            return
        pipe.send(_slice(running, cycles))


def _slice(running: Running, cycles: int) -> int:
    attached = running.attached
    # Caches are cold: since the last slice, every other variant had its turn.
    running.cycles(max(WARM_UP_SLICE, cycles // 20))
    attached.afterwards()
    gc.collect()
    elapsed = running.cycles(cycles)
    began = running.clock()
    attached.afterwards()
    if attached.afterwards_counts:
        elapsed += running.clock() - began
    return elapsed
