"""The open waits, the open holds and the running totals of one pool: the source of truth.

Two halves with different manners:

* The application's side (`wait_begins` ... `hold_ends`) runs inside other people's checkouts,
  in any thread, and inside the garbage collector, which may run a check-in on a thread that
  is in the middle of anything. It takes no lock and calls nobody: every step is one atomic
  operation on a dict or a deque.
* The reader's side (`settle`, `open_claims`) runs in the watchdog and in whoever asks for a
  snapshot. It folds what has finished, and what still runs, into the totals, under a lock
  that the application's side never touches.

Nothing is counted up and down: what is open is what is in the dicts.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from pool_observer.call_site import RawSite, resolve
from pool_observer.claim import IDLE, Claim
from pool_observer.failures import Failures
from pool_observer.holder import Holder
from pool_observer.model import (
    NANOSECONDS,
    UNATTRIBUTED,
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Ending,
    Event,
    Hold,
    Outcome,
    PoolTotals,
    Wait,
)
from pool_observer.totals import Totals

Clock = Callable[[], int]
Churn = ConnectionOpened | ConnectionClosed | ConnectionInvalidated

BACKLOG = 65_536
"""Finished claims kept until someone settles; at about 500 bytes each, 32 MB at the worst."""


def nobody_to_wake() -> None:
    """Nobody drains this ledger on their own account."""


class Ledger:
    def __init__(
        self,
        pool: str,
        *,
        clock: Clock = time.perf_counter_ns,
        wall_clock: Clock = time.time_ns,
        holder_limit: int = 200,
        overdue_after: float = 30.0,
        backlog: int = BACKLOG,
        failures: Failures | None = None,
    ) -> None:
        self.pool = pool
        self.clock = clock
        self.failures = failures or Failures()
        self.backlog_grows = nobody_to_wake
        """Called when half the backlog is used, from the application's side."""
        self._wall_clock = wall_clock
        self._holder_limit = holder_limit
        self._overdue_ns = int(overdue_after * NANOSECONDS)
        self._backlog = backlog
        # The ledger's only collections that change. Waits are found by who waits, holds by
        # what they hold: a pool's connection record, or a proxied connection. The hooks keep
        # references to them, so they are emptied but never replaced.
        self.waits: dict[object, Claim] = {}
        self.holds: dict[Hashable, Claim] = {}
        self._finished: deque[Claim | Churn] = deque()
        self._start_empty()

    def _start_empty(self) -> None:
        self.waits.clear()
        self.holds.clear()
        self._finished.clear()
        self._dropped = 0
        self._drops = itertools.count(1)
        self._totals = Totals(self._holder_limit)
        # Reentrant, because a destructor that the garbage collector runs while we hold it
        # may ask for a snapshot.
        self._lock = threading.RLock()
        self._settling = False
        self._epoch = self._wall_clock() - self.clock()

    # -- the application's side --------------------------------------------------------------

    def wait_begins(
        self, owner: object, holder: Holder | None = None, site: RawSite | None = None
    ) -> Claim:
        """Somebody asks the pool for a connection."""
        claim = Claim(holder, site, self.clock())
        if self.waits.setdefault(owner, claim) is not claim:
            # This owner asks again while it asks: a checkout listener that wants a
            # connection of its own. The outer claim keeps the owner's name.
            owner = claim
            self.waits[owner] = claim
        claim.owner = owner
        return claim

    def wait_ends_empty_handed(self, claim: Claim, outcome: Outcome) -> None:
        """The pool timed out or failed, or the caller was cancelled."""
        claim.ended_at = self.clock()
        claim.outcome = outcome
        if self.waits.pop(claim.owner, None) is not None:
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
        claim.outcome = Outcome.ACQUIRED
        claim.granted_at = now
        holds = self.holds
        known = holds.setdefault(key, claim)
        if known is not claim:
            if known.proxy() is proxy():
                # SingletonThreadPool hands a thread what it already holds, and takes it back
                # when the last of these is closed. One hold, and no wait.
                self.waits.pop(claim.owner, None)
                return
            # The connection is handed out anew, so an earlier hold of it is over. It was
            # detached: the pool takes such a record back just before it says so.
            self.hold_ends(key, Ending.DETACHED)
            holds[key] = claim
        if self.waits.pop(claim.owner, None) is None:
            # Closed, or forked, while this caller waited: nobody would ever see it end.
            holds.pop(key, None)

    def hold_ends(self, key: Hashable, ending: Ending) -> bool:
        """The connection known as `key` is no longer held. False if it was not open here.

        Whatever the pool calls it, a hold whose proxy is garbage by now was lost: nobody was
        left who could have returned it.
        """
        claim = self.holds.pop(key, None)
        if claim is None:
            return False
        claim.ended_at = self.clock()
        claim.ending = Ending.LOST if claim.proxy() is None else ending
        claim.pool = None
        self._finish(claim)
        return True

    def connection_changed(self, event: Churn) -> None:
        """A connection was opened, closed or invalidated."""
        self._finish(event)

    def _finish(self, item: Claim | Churn) -> None:
        finished = self._finished
        length = len(finished)
        if length >= self._backlog:
            self._dropped = next(self._drops)
            return
        finished.append(item)
        if length == self._backlog // 2:
            self.backlog_grows()

    # -- the reader's side -------------------------------------------------------------------

    def settle(self, *, tell: bool = False) -> list[Event]:
        """Bring the totals up to this instant; with `tell`, also return what has ended.

        A claim that ends at this very moment, already out of the open holds and not yet
        among the finished, is counted by the next call. No total ever goes back.
        """
        events: list[Event] = []
        with self._lock:
            if self._settling:
                return events
            self._settling = True
            try:
                now = self.clock()
                self._epoch = self._wall_clock() - now  # again each time: clocks are adjusted
                self._settle(now, events if tell else None)
            finally:
                self._settling = False
        return events

    def _settle(self, now: int, events: list[Event] | None) -> None:
        for claim in self.holds.copy().values():
            self._guarded(self._count_open, claim, now, events)
        for _ in range(len(self._finished)):
            item = self._finished.popleft()
            if isinstance(item, Claim):
                self._guarded(self._count_open, item, now, events)
                self._guarded(self._count_ended, item, now, events)
            else:
                self._count_churn(item)
                if events is not None:
                    events.append(item)

    def _guarded(
        self,
        count: Callable[[Claim, int, list[Event] | None], None],
        claim: Claim,
        now: int,
        events: list[Event] | None,
    ) -> None:
        """One claim that cannot be counted must not keep the others from it."""
        try:
            count(claim, now, events)
        except Exception:
            self.failures.note("settling")

    def _count_open(self, claim: Claim, now: int, events: list[Event] | None) -> None:
        holder = self._name_of(claim)
        tally = self._totals.of(holder)
        if not claim.wait_counted:
            claim.wait_counted = True
            assert claim.outcome is not None
            tally.add_wait(claim.outcome, *claim.wait_split(now))
            if events is not None:
                events.append(self.wait(claim, now))
        if claim.granted_at is None:
            return
        if not claim.checkout_counted:
            claim.checkout_counted = True
            tally.checkouts += 1
        split = claim.split(now)
        tally.add_activity(split, claim.settled)
        claim.settled = split

    def _count_ended(self, claim: Claim, now: int, events: list[Event] | None) -> None:
        if claim.ending is None:
            return
        self._totals.of(self._name_of(claim)).returns[claim.ending] += 1
        if events is not None:
            events.append(self.hold(claim, now))

    def _count_churn(self, event: Churn) -> None:
        kind = type(event)
        if kind is ConnectionOpened:
            self._totals.connections["opened"] += 1
        elif kind is ConnectionClosed:
            self._totals.connections["closed"] += 1
        else:
            self._totals.connections["invalidated"] += 1

    def _name_of(self, claim: Claim) -> str:
        """The name a claim is counted under. Once counted, it keeps it."""
        if not claim.wait_counted:
            claim.holder = self._totals.bounded(self._shown_name_of(claim))
        assert isinstance(claim.holder, str)
        return claim.holder

    def totals(self) -> PoolTotals:
        """The totals as of the last settling, frozen."""
        with self._lock:
            return self._totals.frozen(self._dropped, self.failures.counts())

    def open_claims(self) -> tuple[list[Claim], list[Claim]]:
        """Who holds and who waits, at this instant, the oldest first."""
        # A claim leaves the waits just after it has entered the holds, so as never to be in
        # neither; here it counts as what it has become.
        waits = self.waits.copy().values()
        waiting = sorted((claim for claim in waits if claim.granted_at is None), key=_asked_at)
        holding = sorted(self.holds.copy().values(), key=_granted_at)
        return holding, waiting

    # -- values ------------------------------------------------------------------------------

    def wait(self, claim: Claim, now: int) -> Wait:
        queue, connect, ping = claim.wait_split(now)
        return Wait(
            pool=self.pool,
            holder=self._shown_name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.asked_at),
            outcome=claim.outcome,
            stage=claim.stage,
            queue_ns=queue,
            connect_ns=connect,
            ping_ns=ping,
        )

    def hold(self, claim: Claim, now: int) -> Hold:
        assert claim.granted_at is not None
        split = claim.split(now)
        return Hold(
            pool=self.pool,
            holder=self._shown_name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.granted_at),
            ending=claim.ending,
            activity=claim.activity[0],
            executing_ns=split.executing,
            in_transaction_ns=split.in_transaction,
            idle_ns=split.idle,
            waited_ns=claim.granted_at - claim.asked_at,
            backend_pid=claim.backend_pid,
            overdue=sum(split) > self._overdue_ns,
        )

    def _shown_name_of(self, claim: Claim) -> str:
        """The name to show, without settling on it: a waiter's route may not be known yet."""
        holder = claim.holder
        if holder is None:
            return UNATTRIBUTED
        if isinstance(holder, str):
            return holder
        try:
            return holder.name()
        except Exception:
            self.failures.note("naming a holder")
            return UNATTRIBUTED

    def _unix_time(self, instant: int) -> float:
        return (self._epoch + instant) / NANOSECONDS

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Forget what is open: its end will not be seen any more. The totals stay."""
        self.waits.clear()
        self.holds.clear()

    def reset_after_fork(self) -> None:
        """The child owes nothing: what is open and counted here belongs to the parent."""
        self._start_empty()
        self.failures.reset_after_fork()


def _granted_at(claim: Claim) -> int:
    return claim.granted_at or 0


def _asked_at(claim: Claim) -> int:
    return claim.asked_at
