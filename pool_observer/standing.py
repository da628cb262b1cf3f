"""Where those stand who hold connections: the task or thread that has asked, or the request.

Whoever has asked may be over while others go on with its connection. So while a request lasts,
its hold is never called forgotten.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pool_observer.call_site import RawSite
from pool_observer.claim import Claim
from pool_observer.explanation import Doing, Standing
from pool_observer.landmarks import standing_in
from pool_observer.loops import Stall
from pool_observer.progress import RequestProgress
from pool_observer.stacks import Stack, is_running, let_go_of, stack_of_frame, stack_of_task
from pool_observer.threads import Threads

FINISHED = Standing(Doing.FINISHED)


class Look:
    """One look around; tasks that were looked at are let go of at its end.

    `claims` are all that hold or wait now.
    """

    def __init__(self, stalls: Mapping[int, Stall], claims: Iterable[Claim] = ()) -> None:
        self.stalls = stalls
        self._threads = Threads(claims)
        self._touched: dict[asyncio.AbstractEventLoop, list[Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._touched:
            loop, touched = self._touched.popitem()
            let_go_of(touched, loop)

    def stall_of(self, claim: Claim) -> Stall | None:
        """What keeps its task from going on, if its event loop is blocked."""
        runner = _of(claim.runner)
        if isinstance(runner, threading.Thread):
            return None  # which goes on
        task = runner if isinstance(runner, asyncio.Task) else _task_of_request(claim)
        return None if task is None else self.stalls.get(id(task.get_loop()))

    def at_stall(self, stall: Stall) -> Standing | None:
        """What blocks an event loop."""
        stack = self._threads.stacks.get(stall.thread)
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
            standing = self._threads.at(runner, claim)
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
            return standing_in(self._running(task, stall), Doing.RUNNING, site)
        stack = stack_of_task(task, self._touched.setdefault(task.get_loop(), []))
        return standing_in(stack, Doing.BLOCKED if stall else Doing.AWAITING, site)

    def _running(self, task: asyncio.Task[Any], stall: Stall | None) -> Stack:
        if stall is not None:
            # SQLAlchemy's greenlets have stacks of their own, which the coroutine is not on.
            return self._threads.stacks.get(stall.thread, [])
        return self._threads.running(getattr(task.get_coro(), "cr_code", None))


def _of(reference: Any) -> Any:
    return None if reference is None else reference()


def _progress_of(claim: Claim) -> RequestProgress | None:
    return None if claim.holder is None else claim.holder.progress


def _request_lasts(claim: Claim) -> bool:
    progress = _progress_of(claim)
    return progress is not None and progress.detached_at is None


def _task_of_request(claim: Claim) -> Any:
    """The task of the request, while the request lasts."""
    progress = _progress_of(claim)
    return _of(progress.task) if progress is not None and progress.detached_at is None else None


def _answers_the_request(task: asyncio.Task[Any], claim: Claim) -> bool:
    progress = _progress_of(claim)
    return progress is not None and _of(progress.task) is task


def _at_greenlet(greenlet: Any, site: RawSite | None) -> Standing | None:
    """Of one that is suspended: gevent's, for example."""
    stack = stack_of_frame(greenlet.gr_frame)
    return standing_in(stack, Doing.AWAITING, site) if stack else None
