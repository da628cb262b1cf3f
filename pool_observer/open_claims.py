"""Who waits and who holds: what the hooks write, from inside other people's checkouts.

This runs in any thread, and inside the garbage collector, which may run a check-in on a
thread that is in the middle of anything. So it takes no lock, but for one rare case, and
calls nobody: every step is one atomic operation on a dict or a deque. Nothing is counted up
and down: what is open is what is in the dicts.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from pool_observer.call_site import RawSite
from pool_observer.claim import IDLE, Claim, Runner
from pool_observer.failures import Failures
from pool_observer.holder import Holder
from pool_observer.model import (
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Ending,
    Outcome,
)

Clock = Callable[[], int]
Churn = ConnectionOpened | ConnectionClosed | ConnectionInvalidated

# By names of their own, because a member of an enum is found through its metaclass: slowly.
ACQUIRED = Outcome.ACQUIRED
LOST = Ending.LOST

BACKLOG = 65_536
"""Finished claims kept until someone settles; at less than 1 kB each, 64 MB at the worst."""

BATCH = 512
"""Finished claims after which somebody is woken to settle them. While they are few they are
still in the processor's cache, which makes it half the work."""


def nobody_to_wake() -> None:
    """Nobody drains the finished claims on their own account."""


class OpenClaims:
    """The open waits and holds of one pool, and what has finished but is not settled yet."""

    def __init__(
        self,
        pool: str,
        *,
        clock: Clock = time.perf_counter_ns,
        backlog: int = BACKLOG,
        failures: Failures | None = None,
    ) -> None:
        self.pool = pool
        self.clock = clock
        self.failures = failures or Failures()
        self.backlog_grows = nobody_to_wake
        """Called for each batch in the backlog, from the application's side."""
        self._backlog = backlog
        self._batch = min(BATCH, backlog // 2)
        # Waits are found by who waits, holds by what they hold: a pool's connection record,
        # or a proxied connection. The hooks keep references to these collections, so they
        # are emptied but never replaced.
        self.waits: dict[object, Claim] = {}
        self.holds: dict[Hashable, Claim] = {}
        self.finished: deque[Claim | Churn] = deque()
        # The connection that each request, task or thread was given last.
        self.units: dict[Hashable, Claim] = {}
        self.trace_context: Callable[[], object] | None = None
        """What to ask for the current trace, where there may be one."""
        self.dropped = 0
        self._drops = itertools.count(1)
        # The one exception to "no lock", for a key that is detached by one thread while it is
        # handed out to another. Nothing of the application's is called from under it, and the
        # garbage collector may come back to it on the same thread.
        self._changing_hands = threading.RLock()
        self._known_detached: deque[Claim] = deque(maxlen=100)

    def wait_begins(
        self,
        owner: object,
        holder: Holder | None = None,
        site: RawSite | None = None,
        unit: Hashable = None,
        runner: Runner | None = None,
    ) -> Claim:
        """Somebody asks the pool for a connection."""
        claim = Claim(holder, site, self.clock(), unit, runner)
        if self.holds:
            outer = self.units.get(unit)
            while outer is not None and outer.ended_at is not None:
                outer = outer.outer
            claim.outer = outer
        if self.trace_context is not None:
            claim.trace = self.trace_context()
        if self.waits.setdefault(owner, claim) is not claim:
            # This owner asks again while it asks: a checkout listener that wants a
            # connection of its own. The outer claim keeps the owner's name.
            owner = claim
            self.waits[owner] = claim
        claim.owner = owner
        return claim

    def wait_ends_empty_handed(self, claim: Claim, outcome: Outcome) -> None:
        """The pool timed out or failed, or the caller was cancelled."""
        if self.waits.pop(claim.owner, None) is None:
            return  # closed, or forked, meanwhile
        claim.ended_at = self.clock()
        claim.outcome = outcome
        self._finish(claim)

    def hold_begins(
        self,
        claim: Claim,
        key: Hashable,
        proxy: Callable[[], Any],
        pool: object = None,
        backend_pid: int | None = None,
    ) -> None:
        """The claim's wait is over: it holds the connection known as `key`."""
        now = self.clock()
        claim.activity = (IDLE, now, 0, 0)
        claim.proxy = proxy
        claim.pool = pool
        claim.backend_pid = backend_pid
        claim.outcome = ACQUIRED
        claim.granted_at = now
        known = self.holds.setdefault(key, claim)
        if known is not claim and not self._handed_out_again(claim, key):
            return
        if self.waits.pop(claim.owner, None) is None:
            # Closed, or forked, while this caller waited: nobody would ever see it end.
            self.holds.pop(key, None)
            return
        # A greenlet may refer to all that its code does, and keep it from being collected.
        claim.owner = None
        if claim.unit is not None:
            self.units[claim.unit] = claim

    def _handed_out_again(self, claim: Claim, key: Hashable) -> bool:
        """What is handed out was held already when we looked. Whether this is a new hold."""
        with self._changing_hands:
            known = self.holds.get(key)
            if known is not None and known.proxy() is claim.proxy():
                # SingletonThreadPool hands a thread what it already holds, and takes it back
                # when the last of these is closed. One hold, and no wait.
                self.waits.pop(claim.owner, None)
                return False
            if known is not None:
                # The earlier hold is over. Its connection was detached: the pool takes such a
                # record back just before it says so. When it does, we know already.
                self.hold_ends(key, Ending.DETACHED)
                self._known_detached.append(known)
            self.holds[key] = claim
            return True

    def hold_detached(self, key: Hashable, is_the_one: Callable[[Any], bool]) -> bool:
        """A connection known as `key` was detached. False if it was not open here.

        The key may be somebody else's by now, so the open hold ends only if its proxy is the
        one that was detached, or is garbage.
        """
        with self._changing_hands:
            for known in self._known_detached.copy():
                if _is_garbage_or(known, is_the_one):
                    self._known_detached.remove(known)
                    return True
            claim = self.holds.get(key)
            if claim is None:
                return False
            if _is_garbage_or(claim, is_the_one):
                self.hold_ends(key, Ending.DETACHED)
            return True

    def hold_ends(self, key: Hashable, ending: Ending) -> bool:
        """The connection known as `key` is no longer held. False if it was not open here.

        Whatever the pool calls it, a hold whose proxy is garbage by now was lost: nobody was
        left who could have returned it.
        """
        claim = self.holds.pop(key, None)
        if claim is None:
            return False
        claim.ended_at = self.clock()
        claim.ending = LOST if claim.proxy() is None else ending
        finished = self.finished
        if len(finished) < self._batch:  # nearly always, and then without a call
            finished.append(claim)
        else:
            self._finish(claim)
        return True

    def connection_changed(self, event: Churn) -> None:
        """A connection was opened, closed or invalidated."""
        self._finish(event)

    def _finish(self, item: Claim | Churn) -> None:
        finished = self.finished
        length = len(finished)
        if length >= self._backlog:
            self.dropped = next(self._drops)
            if isinstance(item, Claim):
                self.forget(item)
            return
        finished.append(item)
        if length and not length % self._batch:
            self.backlog_grows()

    # -- what is held at a time ----------------------------------------------------------------

    def held_by(self, unit: Hashable) -> Iterator[Claim]:
        """What a request, task or thread holds, the latest first."""
        claim = self.units.get(unit)
        while claim is not None:
            if claim.ended_at is None:
                yield claim
            claim = claim.outer

    def forget(self, claim: Claim) -> None:
        """A claim is over: whatever its unit asks for next is not nested in it."""
        if claim.granted_at is None:
            return  # it was nobody's outer one; and a dead reference that never was a key is none
        outer = claim.outer
        if outer is not None and outer.ended_at is not None:
            # Somebody who takes the next connection before returning the last would build a
            # chain of these without end.
            outer = claim.outer = None
        if self.units.get(claim.unit) is claim:
            # A checkout between these two lines is missed as the outer one of the next.
            if outer is None:
                self.units.pop(claim.unit, None)
            else:
                self.units[claim.unit] = outer

    def close(self) -> None:
        """Forget what is open: its end will not be seen any more."""
        self.waits.clear()
        self.holds.clear()
        self.units.clear()

    def reset_after_fork(self) -> None:
        """The child owes nothing: what is open and finished here belongs to the parent."""
        self.close()
        self.finished.clear()
        self.dropped = 0
        self._drops = itertools.count(1)
        self._changing_hands = threading.RLock()
        self._known_detached.clear()
        self.failures.reset_after_fork()


def _is_garbage_or(claim: Claim, is_the_one: Callable[[Any], bool]) -> bool:
    proxy = claim.proxy()
    return proxy is None or is_the_one(proxy)
