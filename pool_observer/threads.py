"""Where threads stand, and whether they still do what they have asked for a connection for.

A thread of a pool does one thing after another. A sync dependency of FastAPI's may have run in
one, and the endpoint that uses its connection in another; by now the first may serve somebody
else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import Any

from pool_observer.call_site import RawSite
from pool_observer.claim import Claim
from pool_observer.explanation import Doing, Standing
from pool_observer.landmarks import standing_in
from pool_observer.progress import RequestProgress
from pool_observer.stacks import Stack, stacks_of_threads

_WORKERS = ("WorkerThread.run", "_worker", "worker")
"""What runs in the threads of a pool: AnyIO's, and the two of the standard library."""

SOMEWHERE = Standing(Doing.RUNNING)
"""It runs, and where is not known."""


class Threads:
    """All threads at one instant, looked at once and only if somebody asks."""

    def __init__(self, claims: Iterable[Claim], touch: Callable[[Any], Any]) -> None:
        self._claims = claims
        self._touch = touch
        self._stacks: dict[int, Stack] | None = None
        self._serving: dict[int | None, RequestProgress] | None = None

    @property
    def stacks(self) -> dict[int, Stack]:
        """Where every thread stands, by its identifier."""
        if self._stacks is None:
            self._stacks = stacks_of_threads()
        return self._stacks

    def at(self, thread: threading.Thread, claim: Claim) -> Standing | None:
        """Where the thread stands that has asked, if it still does what it has asked for."""
        stack = self.stacks.get(thread.ident or 0)
        if stack is None or not thread.is_alive():
            return None
        pooled = any(code.co_qualname in _WORKERS for code, _ in stack)
        site = None if claim.site is None else claim.site[0]
        holder = claim.holder
        progress = None if holder is None else holder.progress
        if pooled and holder is not None and progress is not None:
            if progress.detached_at is not None:
                return None
            endpoint = holder.endpoint()
            evidence = [endpoint, site]
            if not self._may_serve(thread.ident, progress) or not _contains(stack, evidence):
                return self._only_one_at(endpoint, claim.site, progress)
        standing = standing_in(stack, Doing.RUNNING, claim.site)
        if not pooled:
            return standing
        if standing.at is None:
            return None  # it waits for something to do
        if progress is None and not _contains(
            stack, [None if claim.site is None else claim.site[0]]
        ):
            return SOMEWHERE  # it may do another job by now
        return standing

    def _only_one_at(
        self, endpoint: CodeType | None, site: RawSite | None, progress: RequestProgress
    ) -> Standing | None:
        """Where the one thread stands that is in this endpoint; of several, none can be told."""
        there = [
            stack
            for thread, stack in self.stacks.items()
            if self._may_serve(thread, progress) and _contains(stack, [endpoint])
        ]
        return standing_in(there[0], Doing.RUNNING, site) if len(there) == 1 else None

    def _may_serve(self, thread: int | None, progress: RequestProgress) -> bool:
        """Whether no other request has asked for a connection in this thread since.

        Of those that still hold or wait for one: of the others nothing is known.
        """
        if self._serving is None:
            self._serving = dict(_served(self._claims, self._touch))
        return self._serving.get(thread, progress) is progress


def _served(
    claims: Iterable[Claim], touch: Callable[[Any], Any]
) -> Iterable[tuple[int | None, RequestProgress]]:
    """Which thread has asked for which request, the last to ask last."""
    for claim in sorted(claims, key=_asked_at):
        thread = touch(claim.runner)
        progress = None if claim.holder is None else claim.holder.progress
        if isinstance(thread, threading.Thread) and progress is not None:
            yield thread.ident, progress


def _asked_at(claim: Claim) -> int:
    return claim.asked_at


def _contains(stack: Stack, codes: Sequence[CodeType | None]) -> bool:
    return any(running is code for running, _ in stack for code in codes if code is not None)
