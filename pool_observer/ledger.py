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
from pool_observer.claim import IDLE, NOTHING, Claim
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
        self._overdue_ns = overdue_after * NANOSECONDS
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
        claim.outcome = Outcome.ACQUIRED
        claim.granted_at = now
        known = self.holds.setdefault(key, claim)
        if known is not claim and not self._handed_out_again(known, claim, key):
            return
        if self.waits.pop(claim.owner, None) is None:
            # Closed, or forked, while this caller waited: nobody would ever see it end.
            self.holds.pop(key, None)

    def _handed_out_again(self, known: Claim, claim: Claim, key: Hashable) -> bool:
        """What is handed out seems to be held already. Whether it is a new hold."""
        if known.proxy() is claim.proxy():
            # SingletonThreadPool hands a thread what it already holds, and takes it back when
            # the last of these is closed. One hold, and no wait.
            self.waits.pop(claim.owner, None)
            return False
        # The earlier hold is over. Its connection was detached: the pool takes such a record
        # back just before it says so.
        self.hold_ends(key, Ending.DETACHED)
        self.holds[key] = claim
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
        # What has ended is taken first: a claim that ends from here on is still counted as
        # open, and its end the next time, so no end is counted twice.
        finished = self._finished
        ended = [finished.popleft() for _ in range(len(finished))]
        for key, claim in self.holds.copy().items():
            self._guarded(self._end_if_garbage, key, claim)
            self._guarded(self._count, claim, now, events, False)
        for item in ended:
            if isinstance(item, Claim):
                self._guarded(self._count, item, now, events, True)
            else:
                self._guarded(self._count_churn, item, events)

    def _guarded(self, step: Callable[..., None], *arguments: Any) -> None:
        """One claim that cannot be counted must not keep the others from it."""
        try:
            step(*arguments)
        except Exception:
            self.failures.note("settling")

    def _end_if_garbage(self, key: Hashable, claim: Claim) -> None:
        """End a hold whose proxy is gone and of which no event has told, on any pool.

        Should the pool be telling us at this moment, it finds the hold ended already.
        """
        if claim.proxy() is None and self.holds.get(key) is claim:
            self.hold_ends(key, Ending.LOST)

    def _count(self, claim: Claim, now: int, events: list[Event] | None, over: bool) -> None:
        """Add to the totals what they do not contain yet of this claim."""
        before = claim.settled
        outcome = claim.outcome
        assert outcome is not None
        tally = self._totals.of(self._name_of(claim))
        if before is None:
            before = NOTHING
            claim.settled = NOTHING
            claim.holder = tally.holder  # a claim keeps the name it is first counted under
            tally.add_wait(outcome, claim.wait_split(now))
            if events is not None:
                events.append(self.wait(claim, now))
        if outcome is not Outcome.ACQUIRED:
            return
        split = claim.split(now)
        tally.add_activity(split, before)
        claim.settled = split
        if over:
            assert claim.ending is not None
            tally.returns[claim.ending] += 1
            if events is not None:
                events.append(self.hold(claim, now))

    def _count_churn(self, event: Churn, events: list[Event] | None) -> None:
        if events is not None:
            events.append(event)
        kind = type(event)
        if kind is ConnectionOpened:
            self._totals.connections["opened"] += 1
        elif kind is ConnectionClosed:
            self._totals.connections["closed"] += 1
        else:
            self._totals.connections["invalidated"] += 1

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
            holder=self._name_of(claim),
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
        executing, in_transaction, idle = claim.split(now)
        return Hold(
            pool=self.pool,
            holder=self._name_of(claim),
            call_site=resolve(claim.site),
            began_at=self._unix_time(claim.granted_at),
            ending=claim.ending,
            activity=claim.activity[0],
            executing_ns=executing,
            in_transaction_ns=in_transaction,
            idle_ns=idle,
            waited_ns=claim.granted_at - claim.asked_at,
            backend_pid=claim.backend_pid,
            overdue=executing + in_transaction + idle > self._overdue_ns,
        )

    def _name_of(self, claim: Claim) -> str:
        """The holder's name as far as it is known by now."""
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
