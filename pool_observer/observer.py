"""One engine, one ledger, and those who want to hear of it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from pool_observer.call_site import SiteFinder
from pool_observer.delivery import FOR_EVER, PATIENCE, Delivery, Messenger
from pool_observer.failures import Failures
from pool_observer.forensics import Forensics
from pool_observer.holder import Expectation, Holder
from pool_observer.hooks.attachment import Attachment
from pool_observer.hooks.awaiting import frames_of_awaiting
from pool_observer.hooks.greenlets import stacks_beyond
from pool_observer.hooks.units import current_unit
from pool_observer.incidents import Incident, Incidents
from pool_observer.ledger import Ledger
from pool_observer.listener import Listener
from pool_observer.loops import LoopLag
from pool_observer.model import NANOSECONDS
from pool_observer.open_claims import Clock
from pool_observer.reports import Reporter, Reports
from pool_observer.server import ServerState, not_asked
from pool_observer.settled import Settled
from pool_observer.snapshots import state_of
from pool_observer.state import PoolState
from pool_observer.summary import Explanation

if TYPE_CHECKING:
    from pool_observer.audit.facts import Deployment
    from pool_observer.audit.finding import Finding
    from pool_observer.audit.observed import Audited


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
        self._failures = Failures(at_once=False)
        self._ledger = Ledger(
            name,
            clock=clock,
            wall_clock=wall_clock,
            holder_limit=holder_limit,
            overdue_after=leak_after,
            failures=self._failures,
        )
        self._delivery = Delivery(name, self._failures)
        self._taking_stock = threading.RLock()
        self._closing: list[Callable[[], None]] = []
        self._ticking: list[Callable[[], None]] = []
        self._first_tick: list[Callable[[], None]] = []
        self._forking: list[Callable[[bool], None]] = []
        self._last_state: PoolState | None = None
        self._server: Callable[[], ServerState | None] = not_asked
        self._app: weakref.ref[Any] | None = None
        self.beside: Callable[[], Iterable[PoolObserver]] = tuple  # those of the same process
        # What exporters and the instrumentor need to know of each other, who must not meet:
        self.told_to_opentelemetry = False  # in metrics
        self.stand_in: StandIn | None = None  # if nobody has asked for this observer
        self.stop_telling: Callable[[], None] | None = None  # undoes what the instrumentor added
        self._loops = LoopLag(clock)
        sites = SiteFinder(skip_callers, stacks_beyond, frames_of_awaiting(self._failures))
        incidents = Incidents(name, clock, wall_clock)
        self._reports = Reports(self._failures, incidents)
        self._forensics = Forensics(
            self._ledger, self._loops, incidents, self._failures, lambda: self._attachment.seats()
        )
        self._attachment = Attachment(
            engine,
            self._ledger,
            sites,
            self._loops.follow_running,
            self._forensics.empty_handed,
            on_behalf_of=self,
        )

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
        return self._forensics.explain()

    def incidents(self) -> list[Incident]:
        """What has gone wrong lately, the newest first."""
        return self._forensics.incidents.recent()

    def audit(
        self,
        *,
        sessions: Iterable[object] = (),
        deployment: Deployment | None = None,
    ) -> tuple[Finding, ...]:
        """What to mend in the configuration, the most severe first.

        What the process asks of the server with its other engines, if they are observed, counts.

        :param sessions: the factories that `sessionmaker()` or `async_sessionmaker()` returned.
        :param deployment: what only you know: how many processes there are, and what is between
            them and the database. What the server says of itself is known if it is asked
            (`server_probe`).
        """
        from pool_observer.audit.facts import Deployment
        from pool_observer.audit.observed import audit_of  # which takes a while, and few need it

        audited = self.audited()
        return () if audited is None else audit_of(audited, sessions, deployment or Deployment())

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

    def close(self) -> None:
        """Stop observing, and leave nothing behind on the engine. Idempotent."""
        if self.closed:
            return
        self._last_state = self._state(self._take_stock(freeze=True), closed=True)
        self._attachment.detach()
        self._ledger.close()
        for undo in reversed(self._closing):
            undo()
        self._delivery.close()
        self._reports.close()

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

    def catch_up(self) -> None:
        """What the watchdog does whenever much has happened."""
        self._take_stock()

    def tick(self) -> None:
        """What the watchdog does once a second."""
        try:
            self._take_stock()
            self._forensics.watch_loops()
            self._loops.probe()
            while self._first_tick:
                self._first_tick.pop(0)()
            for do in self._ticking:
                do()
        finally:
            self._reports.soon()  # whatever an exporter's trouble is

    def look_into(self) -> tuple[PoolState, Explanation, int]:
        """A snapshot and its explanation, as of the same instant, and the clock's time then."""
        settled = self._take_stock(freeze=True)
        return self._state(settled), self._forensics.explain(settled), settled.now

    def serve(self, app: object) -> None:
        """Have the application that uses the engine audited with it."""
        self._app = weakref.ref(app)

    def audited(self) -> Audited | None:
        """What the audit is to look at; None when the engine is gone."""
        from pool_observer.audit.observed import Audited

        engine = self._attachment.current_engine()
        if engine is None:
            return None
        known = {each._attachment.current_engine(): each.name for each in self.beside()}
        names = {each: name for each, name in known.items() if each is not None}
        return Audited(
            engine,
            None if self._app is None else self._app(),
            self.server_state(),
            tuple(other for other in names if other is not engine),
            names | {engine: self.name},
        )

    def show_server(self, server: Callable[[], ServerState | None]) -> None:
        """Have what the server says shown in snapshots and explanations."""
        self._server = server
        self._forensics.server = server

    def server_state(self) -> ServerState | None:
        """What the server said last; None if nobody asks it."""
        return self._server()

    def backends(self) -> dict[int, tuple[int, str]]:
        """The open holds by their backend PID: what tells each from the others, and its holder."""
        holding = self._take_stock().holding
        return {
            claim.backend_pid: (claim.granted_at or 0, self._ledger.name_of(claim))
            for claim in holding
            if claim.backend_pid is not None
        }

    def now(self) -> int:
        """The clock that holds are timed with."""
        return self._ledger.clock()

    @property
    def in_use(self) -> bool:
        """Whether a connection is open, or has been."""
        return bool(self._ledger.holds) or self._attachment.idle() > 0 or self._ledger.was_used

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

    def report_through(self, reporter: Reporter) -> None:
        """Have the log told in a thread that may wait for it."""
        self._reports.through(reporter)

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
        self._forensics.reset_after_fork()
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
                attachment.seats().capacity, tell=bool(delivery.listeners), freeze=freeze
            )
            delivery.put([*settled.events, *self._forensics.put_down(settled)])
        return settled

    def _state(self, settled: Settled, *, closed: bool = False) -> PoolState:
        return state_of(
            settled,
            self._ledger,
            self._attachment,
            at=self._wall_clock() / NANOSECONDS,
            event_loop_lag_seconds=self._loops.lag_seconds(),
            untold=self._delivery.dropped,
            server=self.server_state(),
            closed=closed,
        )
