"""Where those stand who hold connections: the task or thread that has asked, or the request.

Whoever has asked may be over while others go on with its connection: a sync dependency of
FastAPI's runs in one thread and the endpoint in another. So a thread that does other work by
now is not taken for who holds it, and while a request lasts its hold is never called forgotten.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import Any, Self

from pool_observer.call_site import OURSELVES, RawSite, is_installed, package_of, resolve
from pool_observer.claim import Claim
from pool_observer.explanation import Doing, Standing
from pool_observer.loops import Stall
from pool_observer.stacks import (
    Stack,
    is_running,
    let_go_of,
    stack_of_frame,
    stack_of_task,
    stacks_of_threads,
)

FINISHED = Standing(Doing.FINISHED)

_WORKERS = ("WorkerThread.run", "_worker")
"""What runs in threads that do one thing after another: AnyIO's, and those of the library."""


class Look:
    """One look around: threads are looked at once for all, and tasks let go of at the end."""

    def __init__(self, stalls: Mapping[int, Stall]) -> None:
        self.stalls = stalls
        self._threads: dict[int, Stack] | None = None
        self._touched: dict[asyncio.AbstractEventLoop, list[Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._touched:
            loop, touched = self._touched.popitem()
            let_go_of(touched, loop)

    @property
    def threads(self) -> dict[int, Stack]:
        """Where every thread stands."""
        if self._threads is None:
            self._threads = stacks_of_threads()
        return self._threads

    def stall_of(self, claim: Claim) -> Stall | None:
        """What keeps its task from going on, if its event loop is blocked."""
        runner = _of(claim.runner)
        if isinstance(runner, threading.Thread):
            return None  # which goes on
        task = runner if isinstance(runner, asyncio.Task) else _task_of_request(claim)
        return None if task is None else self.stalls.get(id(task.get_loop()))

    def at_stall(self, stall: Stall) -> Standing | None:
        """What blocks an event loop."""
        stack = self.threads.get(stall.thread)
        return None if stack is None else standing_in(stack, Doing.RUNNING)

    def at(self, claim: Claim) -> Standing | None:
        """Where the holder of a connection stands; None where nothing tells."""
        if claim.runner is None:
            return None
        runner = claim.runner()
        standing = None
        if isinstance(runner, asyncio.Task):
            if not _answers_the_request(runner, claim):  # which it does no longer than that lasts
                standing = self._at_task(runner, claim.site)
        elif isinstance(runner, threading.Thread):
            standing = self._at_thread(runner, claim)
        elif runner is not None:
            standing = _at_greenlet(runner, claim.site)
        if standing is not None:
            return standing
        if not _request_lasts(claim):
            return FINISHED
        task = _task_of_request(claim)
        return None if task is None else self._at_task(task, claim.site)

    def _at_task(self, task: asyncio.Task[Any], site: RawSite | None) -> Standing | None:
        if task.done():
            return None
        stall = self.stalls.get(id(task.get_loop()))
        if is_running(task):
            stack = self._running(getattr(task.get_coro(), "cr_code", None), stall)
            return standing_in(stack, Doing.RUNNING, site)
        stack = stack_of_task(task, self._touched.setdefault(task.get_loop(), []))
        return standing_in(stack, Doing.BLOCKED if stall else Doing.AWAITING, site)

    def _running(self, code: CodeType | None, stall: Stall | None) -> Stack:
        """From this code inward, in the thread that runs it."""
        if stall is not None:
            # SQLAlchemy's greenlets have stacks of their own, which this code is not on.
            return self.threads.get(stall.thread, [])
        for stack in self.threads.values():
            for depth, (running, _) in enumerate(stack):
                if running is code:
                    return stack[depth:]
        return []

    def _at_thread(self, thread: threading.Thread, claim: Claim) -> Standing | None:
        """Where the thread stands, if it still does what it has asked for."""
        stack = self.threads.get(thread.ident or 0)
        if stack is None or not thread.is_alive():
            return None
        progress = None if claim.holder is None else claim.holder.progress
        serves_others = any(code.co_qualname in _WORKERS for code, _ in stack)
        evidence = [] if claim.site is None else [claim.site[0]]
        if progress is not None and serves_others:
            if progress.detached_at is not None:
                return None
            endpoint = claim.holder.endpoint() if claim.holder is not None else None
            if endpoint is not None:
                evidence.append(endpoint)
            if not _contains(stack, evidence):
                return self._only_one_at(endpoint, claim.site)
        standing = standing_in(stack, Doing.RUNNING, claim.site)
        if serves_others and standing.at is None:
            return None  # it waits for something to do
        return standing

    def _only_one_at(self, endpoint: CodeType | None, site: RawSite | None) -> Standing | None:
        """Where the one thread stands that is in this endpoint; of several, none can be told."""
        there = [stack for stack in self.threads.values() if _contains(stack, [endpoint])]
        return standing_in(there[0], Doing.RUNNING, site) if len(there) == 1 else None


def _of(reference: Any) -> Any:
    return None if reference is None else reference()


def _request_lasts(claim: Claim) -> bool:
    progress = None if claim.holder is None else claim.holder.progress
    return progress is not None and progress.detached_at is None


def _task_of_request(claim: Claim) -> Any:
    """The task of the request, while the request lasts."""
    holder = claim.holder
    if holder is None or holder.progress is None or not _request_lasts(claim):
        return None
    return _of(holder.progress.task)


def _answers_the_request(task: asyncio.Task[Any], claim: Claim) -> bool:
    progress = None if claim.holder is None else claim.holder.progress
    return progress is not None and _of(progress.task) is task


def _contains(stack: Stack, codes: Sequence[CodeType | None]) -> bool:
    return any(running is code for running, _ in stack for code in codes if code is not None)


def _at_greenlet(greenlet: Any, site: RawSite | None) -> Standing | None:
    """Of one that is suspended: gevent's, for example."""
    stack = stack_of_frame(greenlet.gr_frame)
    return standing_in(stack, Doing.AWAITING, site) if stack else None


def standing_in(stack: Stack, doing: Doing, site: RawSite | None = None) -> Standing:
    """The lines of a stack that tell the most. `site` is where the connection was asked for."""
    package = None if site is None else package_of(site[0].co_filename)
    depth = len(stack)
    while depth and stack[depth - 1][0].co_filename.startswith(OURSELVES):
        depth -= 1  # we are in the middle of looking
    innermost = stack[depth - 1] if depth else None
    at = calling = None
    for step in reversed(stack[:depth]):
        filename = step[0].co_filename
        if not is_installed(filename) or (package and package_of(filename) == package):
            at = step
            break
        calling = step
    if at is None:
        calling = None
    return Standing(
        doing, resolve(at), resolve(calling), None if innermost is at else resolve(innermost)
    )
