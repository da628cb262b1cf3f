"""One engine, one ledger, and those who want to hear of it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from pool_observer.call_site import SiteFinder
from pool_observer.claim import Claim
from pool_observer.delivery import FOR_EVER, PATIENCE, Delivery, Messenger, Told
from pool_observer.explaining import Explainer
from pool_observer.explanation import ExplainedHold
from pool_observer.failures import Failures
from pool_observer.holder import Expectation, Holder
from pool_observer.hooks import pools
from pool_observer.hooks.attachment import Attachment
from pool_observer.hooks.greenlets import stacks_beyond
from pool_observer.hooks.units import current_unit
from pool_observer.incidents import Incident, IncidentKind, Incidents
from pool_observer.ledger import Ledger, Settled
from pool_observer.listener import Listener
from pool_observer.loops import LoopLag
from pool_observer.model import NANOSECONDS, Stage
from pool_observer.open_claims import Clock
from pool_observer.state import PoolState, PoolTotals
from pool_observer.summary import Explanation

MOST_EXPLAINED = 500
"""Holds that are looked into at a time. Few pools have more."""

MOST_IN_A_NOTE = 100
"""The same where an application waits for it to be told that it gets no connection."""

SUMMARY_LASTS_NS = NANOSECONDS // 4
"""For how long an explanation serves those who time out just after another."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """What is left to do when an observer that nobody asked for makes room for one of a user's."""

    tell: Callable[[PoolObserver], None]
    """Has the user's told to OpenTelemetry as this one was."""
    observe_again: Callable[[], None]
    """Observes the engine again, under another name, if it is still nobody's."""


class PoolObserver:
    """Knows who holds an engine's connections, for how long, and what for.

    Made by `observe()`. It may be used from any thread, and as a context manager that closes
    it at the end.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        leak_after: float,
        holder_limit: int,
        skip_callers: Iterable[str] = (),
        clock: Clock = time.perf_counter_ns,
        wall_clock: Clock = time.time_ns,
    ) -> None:
        self._name = name
        self._wall_clock = wall_clock
        self._failures = Failures()
        self._ledger = Ledger(
            name,
            clock=clock,
            wall_clock=wall_clock,
            holder_limit=holder_limit,
            overdue_after=leak_after,
            failures=self._failures,
        )
        self._incidents = Incidents(name, clock, wall_clock)
        self._delivery = Delivery(name, self._failures)
        self._taking_stock = threading.RLock()
        self._closing: list[Callable[[], None]] = []
        self._ticking: list[Callable[[], None]] = []
        self._first_tick: list[Callable[[], None]] = []
        self._forking: list[Callable[[bool], None]] = []
        self._last_state: PoolState | None = None
        # What exporters and the instrumentor need to know of each other, who must not meet:
        self.told_to_opentelemetry = False  # in metrics
        self.stand_in: StandIn | None = None  # if nobody has asked for this observer
        self.stop_telling: Callable[[], None] | None = None  # undoes what the instrumentor added
        self._loops = LoopLag(clock)
        sites = SiteFinder(skip_callers, stacks_beyond)
        self._attachment = Attachment(
            engine,
            self._ledger,
            sites,
            self._loops.follow_running,
            self._timed_out,
            on_behalf_of=self,
        )
        self._last_summary: tuple[int, str] | None = None

    # -- what users ask ----------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The pool's name."""
        return self._name

    @property
    def closed(self) -> bool:
        """Whether `close()` has been called."""
        return self._last_state is not None

    def snapshot(self) -> PoolState:
        """The pool at this instant. After `close()`: as it was then."""
        return self._last_state or self._state(self._take_stock(freeze=True))

    def explain(self) -> Explanation:
        """Who holds the connections now, where they stand, what is wrong and what mends it.

        It takes longer than a snapshot, and says more; print it. After `close()` it knows of
        nobody who holds anything.
        """
        return self._explain(self._ledger.open_now(), MOST_EXPLAINED)

    def incidents(self) -> list[Incident]:
        """What has gone wrong lately, the newest first."""
        return self._incidents.recent()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` what happens from now on. Returns a function that ends it."""
        if not isinstance(listener, Listener):
            raise TypeError(
                f"{listener!r} is not a pool_observer.Listener; subclass it and override the "
                "events you want to hear of"
            )
        if self.closed:
            raise RuntimeError(
                f'the observer of pool "{self.name}" is closed; observe(engine) makes a new one'
            )
        self._take_stock()
        self._delivery.add(listener)

        def unsubscribe() -> None:
            self.deliver(PATIENCE)
            self._delivery.remove(listener)

        return unsubscribe

    def deliver(self, patience: float = FOR_EVER) -> None:
        """Bring the totals up to now, and tell the listeners of everything until now.

        This happens by itself once a second; call it for figures that are exact at once. If a
        listener is being told of something already, wait so many seconds for it at most.
        """
        self._take_stock()
        self._delivery.deliver(patience)

    def catch_up(self) -> None:
        """What the watchdog does whenever much has happened."""
        self._take_stock()

    def tick(self) -> None:
        """What the watchdog does once a second."""
        self._take_stock()
        self._loops.probe()
        while self._first_tick:
            self._first_tick.pop(0)()
        for do in self._ticking:
            do()
        self._tell_incidents()

    def close(self) -> None:
        """Stop observing, and leave nothing behind on the engine. Idempotent."""
        if self.closed:
            return
        self._last_state = self._state(self._take_stock(freeze=True), closed=True)
        self._attachment.detach()
        self._ledger.close()
        for undo in reversed(self._closing):
            undo()
        self._tell_incidents(last=True)
        self._delivery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.closed:
            return f"<PoolObserver {self.name}: closed>"
        state = self.snapshot()
        limit = "unlimited" if state.max is None else f"max {state.max}"
        return (
            f"<PoolObserver {self.name}: {state.used} used, {state.idle} idle, "
            f"{state.waiting} waiting, {limit}>"
        )

    # -- what the rest of the package needs --------------------------------------------------

    def look_into(self) -> tuple[PoolState, Explanation, int]:
        """A snapshot and its explanation, as of the same instant, and the clock's time then."""
        settled = self._take_stock(freeze=True)
        return self._state(settled), self._explain(settled, MOST_EXPLAINED), settled.now

    def settled(self) -> Settled:
        """The totals now, and what is open, undescribed."""
        return self._take_stock(freeze=True)

    def observes(self, pool: Pool) -> bool:
        """Whether this is the observer of that pool."""
        return not self.closed and self._attachment.current_pool() is pool

    @property
    def engine_is_gone(self) -> bool:
        """Whether nothing is left to observe."""
        return self._attachment.current_pool() is None

    def expect(self, expectation: Expectation, derive: Callable[[Holder | None], Holder]) -> None:
        """Have what the current request, task or thread holds already be judged differently."""
        try:
            for claim in self._ledger.held_by(current_unit()):
                holder = claim.holder
                if holder is None or holder.expectation is not expectation:
                    claim.holder = derive(holder)
        except Exception:
            self._failures.note("expecting a long hold")

    def when_closing(self, undo: Callable[[], None]) -> None:
        """Have something undone by `close()`."""
        self._closing.append(undo)

    def when_ticking(self, do: Callable[[], None]) -> None:
        """Have something done once a second, in the watchdog's thread."""
        self._ticking.append(do)

    def at_first_tick(self, do: Callable[[], None]) -> None:
        """Have something done once, within a second or two, in the watchdog's thread."""
        self._first_tick.append(do)

    def when_forking(self, do: Callable[[bool], None]) -> None:
        """Have something done after each fork, and told whether this is the child."""
        self._forking.append(do)

    def when_backlog_grows(self, wake: Callable[[], None]) -> None:
        """Have somebody woken who delivers, before there is no room for what happens."""
        self._ledger.backlog_grows = wake

    def deliver_through(self, messenger: Messenger) -> None:
        """Have listeners told in a thread that may wait for them."""
        self._delivery.through(messenger)

    def note_failure(self, place: str) -> None:
        """Count the exception being handled as a failure of ours."""
        self._failures.note(place)

    def forked(self, *, in_child: bool) -> None:
        """The process has forked. The child begins anew: what is open is the parent's."""
        if in_child:
            self._reset_after_fork()
        for do in self._forking:
            do(in_child)

    def follow_running_loop(self) -> None:
        """Measure how late the event loop is that runs in this thread."""
        self._loops.follow_running()

    def _reset_after_fork(self) -> None:
        self._taking_stock = threading.RLock()
        self._delivery.forked(in_child=True)
        self._incidents.reset_after_fork()
        self._last_summary = None
        self._ledger.reset_after_fork()
        self._loops.reset_after_fork()
        self._attachment.reset_after_fork()

    # -- inside ------------------------------------------------------------------------------

    def _take_stock(self, *, freeze: bool = False) -> Settled:
        """Settle the ledger; keep what ended for the listeners, if there are any."""
        attachment, delivery = self._attachment, self._delivery
        attachment.follow_dialects()
        with self._taking_stock:  # what happens later must not be told earlier
            settled = self._ledger.settle(
                attachment.capacity(), tell=bool(delivery.listeners), freeze=freeze
            )
            events: list[Told] = [*settled.events]
            if settled.overdue or settled.returned or settled.lost:
                events += self._put_down(settled)
            delivery.put(events)
        return settled

    def _put_down(self, settled: Settled) -> list[ExplainedHold]:
        """Note what has gone wrong. Returns what is overdue and still out."""
        still_out = []
        with self._explainer(settled) as explainer:
            for kind, claims in (
                (IncidentKind.OVERDUE, settled.overdue),
                (IncidentKind.LOST, settled.lost),
                (IncidentKind.RETURNED, settled.returned),
            ):
                for claim in claims[:MOST_EXPLAINED]:
                    try:
                        held = explainer.explain(claim)
                        self._incidents.add(kind, held)
                    except Exception:
                        self._failures.note("explaining a hold")
                        continue
                    if held.hold.ending is None:
                        still_out.append(held)
                self._incidents.add_more(kind, len(claims[MOST_EXPLAINED:]))
        return still_out

    def _explainer(self, settled: Settled) -> Explainer:
        return Explainer(self._ledger, self._loops, settled.waiting, settled.now)

    def _tell_incidents(self, *, last: bool = False) -> None:
        try:
            self._incidents.tell(last=last)
        except Exception:  # a filter or handler of the application's
            self._failures.note("logging an incident")

    def _explain(self, opened: Settled, most: int) -> Explanation:
        attachment = self._attachment
        pool = attachment.current_pool()
        here = None if pool is None else weakref.ref(pool)
        unseen = attachment.unseen()
        with self._explainer(opened) as explainer:
            return Explanation(
                pool=self.name,
                used=unseen + sum(claim.pool == here for claim in opened.holding),
                max=None if pool is None else pools.max_connections(pool),
                unseen=unseen,
                waiting=len(opened.waiting),
                holds=tuple(explainer.explain(claim) for claim in opened.holding[:most]),
                waits=tuple(self._ledger.wait(each, opened.now) for each in opened.waiting[:most]),
                holds_left_out=len(opened.holding[most:]),
                blocked_loops=explainer.blocked_loops(),
            )

    def _timed_out(self, error: BaseException, claim: Claim) -> None:
        """Tell who gets the exception who held the connections. This is their time."""
        ledger = self._ledger
        now = ledger.clock()
        last = self._last_summary
        if last is None or now - last[0] > SUMMARY_LASTS_NS:  # many may give up at a time
            opened = ledger.open_now()
            opened.waiting.insert(0, claim)  # what it holds already may be what others wait for
            last = self._last_summary = now, str(self._explain(opened, MOST_IN_A_NOTE))
        self._incidents.timed_out(ledger.wait(claim, now, claim.outcome), last[1])
        error.add_note(last[1])

    def _state(self, settled: Settled, *, closed: bool = False) -> PoolState:
        ledger, attachment = self._ledger, self._attachment
        holding, waiting, now = settled.holding, settled.waiting, settled.now
        unseen = attachment.unseen()
        totals = settled.totals or PoolTotals()
        if self._delivery.dropped:
            dropped = totals.dropped_events + self._delivery.dropped
            totals = replace(totals, dropped_events=dropped)
        pool = attachment.current_pool()
        here = None if pool is None else weakref.ref(pool)
        used_here = unseen + sum(claim.pool == here for claim in holding)
        limit = None if pool is None else pools.max_connections(pool)
        counted = None if pool is None else pools.checked_out(pool)
        # The pool counts a connection as out while we still count the caller as waiting for
        # it to be opened or tested.
        underway = sum(claim.stage is not Stage.QUEUE for claim in waiting)
        return PoolState(
            name=self.name,
            at=self._wall_clock() / NANOSECONDS,
            used=len(holding) + unseen,
            idle=attachment.idle(),
            waiting=len(waiting),
            max=limit,
            utilization=used_here / limit if limit else None,
            drift=None if counted is None else used_here + underway - counted,
            open_holds=tuple(ledger.hold(claim, now) for claim in holding),
            open_waits=tuple(ledger.wait(claim, now) for claim in waiting),
            totals=totals,
            idle_max=None if pool is None else pools.most_idle(pool),
            settings=None if pool is None else pools.settings_of(pool),
            event_loop_lag_seconds=self._loops.lag_seconds(),
            closed=closed,
        )
