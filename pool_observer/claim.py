"""One caller's claim on a connection: first it waits, then it holds.

A claim is written by the thread or task that owns it, and read by others at any moment. So
what must be read together is replaced together, in one assignment: `activity` is a tuple,
and a reader that takes it sees the state before a change or after it, never in between.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any

from pool_observer.call_site import RawSite
from pool_observer.holder import Holder
from pool_observer.model import Activity, Ending, Outcome, Stage
from pool_observer.progress import NO_PHASES, PhaseSplit

# By names of their own, because a member of an enum is found through its metaclass: slowly.
EXECUTING = Activity.EXECUTING
IN_TRANSACTION = Activity.IN_TRANSACTION
IDLE = Activity.IDLE

ActivityState = tuple[Activity, int, int, int]
"""What the hold does now, since when, and what it had spent executing and in transaction."""


Runner = weakref.ref[Any]
"""Weak reference to a task, a greenlet or a thread."""

Split = tuple[int, int, int]
"""Nanoseconds of a hold executing, in transaction and idle. They add up to the hold."""

NOTHING: Split = (0, 0, 0)


class Claim:
    """A wait that may become a hold. All times are nanoseconds of the ledger's clock."""

    __slots__ = (
        "activity",
        "asked_at",
        "backend_pid",
        "committed_at",
        "connecting_at",
        "counted",
        "counted_phases",
        "counted_until",
        "ended_at",
        "ending",
        "executed_at",
        "granted_at",
        "holder",
        "name",
        "outcome",
        "outer",
        "overdue",
        "owner",
        "pinging_at",
        "pool",
        "proxy",
        "runner",
        "site",
        "trace",
        "unit",
    )

    activity: ActivityState
    owner: object
    """The thread or greenlet that waits; dropped when it has a connection."""
    pool: object
    """Weak reference to the pool the connection came from."""
    proxy: Callable[[], Any]
    """Weak reference to the proxied connection; it gives None once the proxy is garbage."""

    runner: Runner | None
    """The task, greenlet or thread that has asked."""
    unit: Hashable
    """The request, task or thread it belongs to: what one of those holds at a time is nested."""
    outer: Claim | None
    """What this unit held already when it asked."""
    trace: object
    """OpenTelemetry's context when it asked, until the ledger has read it."""

    # What follows is the ledger's, and means something once there is a name.
    name: str | None
    """The holder's name that it is counted under, as soon as it is counted."""
    counted: Split
    """What the totals contain of it already."""
    counted_phases: PhaseSplit
    counted_until: int
    overdue: bool
    """Whether it has been counted as overdue."""

    def __init__(
        self,
        holder: Holder | None,
        site: RawSite | None,
        asked_at: int,
        unit: Hashable = None,
        runner: Runner | None = None,
    ) -> None:
        self.unit = unit
        self.runner = runner
        self.outer = None
        self.trace = None
        self.holder = holder
        self.site = site
        self.asked_at = asked_at
        self.pinging_at: int | None = None
        self.connecting_at: int | None = None
        self.granted_at: int | None = None
        self.executed_at: int | None = None  # when its first statement began
        self.committed_at: int | None = None  # when its last commit was done
        self.ended_at: int | None = None
        self.outcome: Outcome | None = None
        self.ending: Ending | None = None
        self.backend_pid: int | None = None
        self.name = None

    # -- waiting ---------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        if self.connecting_at is not None:
            return Stage.CONNECT
        return Stage.QUEUE if self.pinging_at is None else Stage.PING

    def wait_split(self, now: int) -> tuple[int, int, int]:
        """Nanoseconds of the wait in the queue, connecting and pinging, up to `now` at most.

        A wait never goes back to the queue: once it has a connection to test it may have to
        open another, and once it opens one the rest is setting that one up.
        """
        if self.granted_at is not None:
            end = self.granted_at
        else:
            end = now if self.ended_at is None else self.ended_at
        connecting_at = end if self.connecting_at is None else min(self.connecting_at, end)
        queued_until = self.queued_until(connecting_at)
        return queued_until - self.asked_at, end - connecting_at, connecting_at - queued_until

    def queued_until(self, end: int) -> int:
        """When it got a connection to open or to test, or `end` if it did not by then."""
        connecting_at, pinging_at = self.connecting_at, self.pinging_at
        if connecting_at is not None and connecting_at < end:
            end = connecting_at
        if pinging_at is not None and pinging_at < end:
            end = pinging_at
        return end

    # -- holding ---------------------------------------------------------------------------
    def executing_from(self, now: int) -> ActivityState:
        """A statement starts. Returns the state to come back to."""
        before = self.activity
        activity, since, executing, in_transaction = before
        if self.ended_at is not None:
            pass  # a connection that was detached is still worked with, but not held
        elif activity is IDLE:
            self.activity = (EXECUTING, now, executing, in_transaction)
        elif activity is IN_TRANSACTION:
            self.activity = (EXECUTING, now, executing, in_transaction + now - since)
        return before

    def executed(self, before: ActivityState, now: int, after: Activity) -> None:
        """The statement that started from `before` is over, and `after` begins."""
        if before[0] is EXECUTING or self.ended_at is not None:
            return  # part of a larger operation (two-phase commit) that goes on; or see above
        _, since, executing, in_transaction = self.activity
        self.activity = (after, now, executing + now - since, in_transaction)

    def split(self, now: int) -> Split:
        """Nanoseconds of the hold by activity, up to `now` or to its end."""
        assert self.granted_at is not None
        ended_at = self.ended_at  # read first: once it is set, the activity is final
        activity, since, executing, in_transaction = self.activity
        # A reader's `now` may be older than what the owner has written since.
        end = max(now if ended_at is None else ended_at, since)
        if activity is EXECUTING:
            executing += end - since
        elif activity is IN_TRANSACTION:
            in_transaction += end - since
        return executing, in_transaction, end - self.granted_at - executing - in_transaction

    def phase_split(self, end: int) -> PhaseSplit | None:
        """Nanoseconds of the hold by phase until `end`; None outside of requests.

        What has been settled stays as it is: the request's progress may be written a moment
        after the clock was read for it, and no total may ever go back.
        """
        progress = None if self.holder is None else self.holder.progress
        if progress is None:
            return None
        if self.name is None:
            assert self.granted_at is not None
            return progress.split(self.granted_at, end)
        begin, so_far = self.counted_until, self.counted_phases
        new = progress.split(begin, max(begin, end))
        if so_far is NO_PHASES:
            return new
        return (
            so_far[0] + new[0],
            so_far[1] + new[1],
            so_far[2] + new[2],
            so_far[3] + new[3],
        )
