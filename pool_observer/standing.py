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
from pool_observer.stacks import (
    Stack,
    is_running,
    let_go_of,
    stack_of_frame,
    stack_of_running,
    stack_of_task,
    tasks_in_groups,
)
from pool_observer.threads import Threads

FINISHED = Standing(Doing.FINISHED)


class Look:
    """One look around; tasks that were looked at are let go of at its end.

    `claims` are all that hold or wait now.
    """

    def __init__(self, stalls: Mapping[int, Stall], claims: Iterable[Claim] = ()) -> None:
        self.stalls = stalls
        self._touched: dict[asyncio.AbstractEventLoop, list[Any]] = {}
        self._threads = Threads(claims, self._touch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._touched:
            loop, touched = self._touched.popitem()
            let_go_of(touched, loop)

    def _touch(self, reference: Any) -> Any:
        """What a weak reference refers to. A task may end meanwhile, with all that it had in its
        hands when it failed; so from here on it goes away in the thread of its loop.
        """
        runner = None if reference is None else reference()
        if isinstance(runner, asyncio.Task):
            self._touched.setdefault(runner.get_loop(), []).append(runner)
        return runner

    def stall_of(self, claim: Claim) -> Stall | None:
        """What keeps its task from going on, if its event loop is blocked."""
        runner = self._touch(claim.runner)
        if isinstance(runner, threading.Thread):
            return None  # which goes on
        task = runner if isinstance(runner, asyncio.Task) else self._task_of_request(claim)
        return None if task is None else self.stalls.get(id(task.get_loop()))

    def at_stall(self, stall: Stall) -> Standing | None:
        """What blocks an event loop."""
        stack = self._threads.stacks.get(stall.thread)
        return None if stack is None else standing_in(_inside_loop(stack), Doing.RUNNING)

    def at(self, claim: Claim) -> Standing | None:
        """Where the holder of a connection stands; None where nothing tells."""
        if claim.runner is None:
            return None
        runner = self._touch(claim.runner)
        standing = None
        if isinstance(runner, asyncio.Task):
            if not self._answers_the_request(
                runner, claim
            ):  # which it does no longer than that lasts
                standing = self._at_task(runner, claim.site)
        elif isinstance(runner, threading.Thread):
            standing = self._threads.at(runner, claim)
        elif runner is not None:
            standing = _at_greenlet(runner, claim.site)
        if standing is not None:
            return standing
        if not _request_lasts(claim):
            return FINISHED
        task = self._task_of_request(claim)
        return None if task is None else self._at_task(task, claim.site)

    def waits_for(self, claim: Claim, second: Claim) -> bool:
        """Whether who holds the one cannot go on before the other is got, for the same unit.

        Two tasks of a request that do not await each other can.
        """
        holder, waiter = self._touch(claim.runner), self._touch(second.runner)
        tasks = isinstance(holder, asyncio.Task) and isinstance(waiter, asyncio.Task)
        if not tasks or holder is waiter or holder.done():
            return True
        touched: list[Any] = []
        stack_of_task(holder, touched)
        self._touched.setdefault(holder.get_loop(), []).extend(touched)
        return any(each is waiter for each in touched)

    def _at_task(self, task: asyncio.Task[Any], site: RawSite | None) -> Standing | None:
        if task.done():
            return None
        stall = self.stalls.get(id(task.get_loop()))
        if is_running(task):
            return standing_in(self._running(task, stall), Doing.RUNNING, site)
        touched = self._touched.setdefault(task.get_loop(), [])
        begin = len(touched)
        doing = Doing.BLOCKED if stall else Doing.AWAITING
        stack = stack_of_task(task, touched)
        standing = standing_in(stack, doing, site)
        if standing.at is None:  # the application may be in a task that was started for it
            for part in tasks_in_groups(touched[begin:]):
                inner = standing_in(stack_of_task(part, touched), doing, site)
                if inner.at is not None:
                    return inner
        return standing

    def _task_of_request(self, claim: Claim) -> Any:
        """The task of the request, while the request lasts."""
        progress = _progress_of(claim)
        if progress is None or progress.detached_at is not None:
            return None
        return self._touch(progress.task)

    def _answers_the_request(self, task: asyncio.Task[Any], claim: Claim) -> bool:
        progress = _progress_of(claim)
        return progress is not None and self._touch(progress.task) is task

    def _running(self, task: asyncio.Task[Any], stall: Stall | None) -> Stack:
        stack = stack_of_running(task, None if stall is None else stall.thread)
        if not stack and stall is not None and is_running(task):
            # SQLAlchemy's greenlets have stacks of their own, which the coroutine is not on.
            return self._threads.stacks.get(stall.thread, [])
        return stack


def _inside_loop(stack: Stack) -> Stack:
    """What the loop runs: the line that calls `uvicorn.run()` blocks nothing."""
    for depth in reversed(range(len(stack))):
        if stack[depth][0].co_qualname in ("Handle._run", "Runner.run"):  # uvloop has no handles
            return stack[depth + 1 :] or stack[depth:]
    return stack


def _progress_of(claim: Claim) -> RequestProgress | None:
    return None if claim.holder is None else claim.holder.progress


def _request_lasts(claim: Claim) -> bool:
    progress = _progress_of(claim)
    return progress is not None and progress.detached_at is None


def _at_greenlet(greenlet: Any, site: RawSite | None) -> Standing | None:
    """Of one that is suspended: gevent's, for example."""
    stack = stack_of_frame(greenlet.gr_frame)
    return standing_in(stack, Doing.AWAITING, site) if stack else None
