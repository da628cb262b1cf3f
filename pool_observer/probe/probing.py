"""Looks at the server now and then, for one observer, in a thread that all probes share.

Nothing here runs in the application's threads: a server that does not answer delays other
probes, and nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from pool_observer.probe.connection import OwnConnection
from pool_observer.probe.joining import Backends, Joining
from pool_observer.probe.patience import Waiting
from pool_observer.probe.reading import Reading
from pool_observer.probe.refusals import in_a_sentence
from pool_observer.server import ServerState

logger = logging.getLogger("pool_observer")

LONGEST_PAUSE = 60.0
"""Seconds between two attempts, however often they have failed."""

GRACE = 1.0
"""Seconds that closing waits for a look that is going on."""

TOO_OLD = 60.0
"""Seconds by which a look may be late, for others that take long, before what it said last is too
old to be told."""

NOT_ASKED_YET = ServerState(up=False)

Read = Callable[[OwnConnection], tuple[Reading, int | None]]


class Observed(Protocol):
    """What a probe needs of the observer."""

    @property
    def name(self) -> str: ...
    @property
    def in_use(self) -> bool: ...
    @property
    def engine_is_gone(self) -> bool: ...
    def backends(self) -> Backends: ...
    def now(self) -> int: ...
    def note_failure(self, place: str) -> None: ...


class Probe:
    """Keeps an eye on the server of one pool."""

    def __init__(
        self,
        observed: Observed,
        connection: OwnConnection,
        read: Read,
        joining: Joining,
        leave: Callable[[Probe], None],
        *,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._observed = weakref.ref(observed)
        self._name = observed.name
        self._connection = connection
        self._read = read
        self._joining = joining
        self._leave = leave
        self._interval = interval
        self._clock = clock
        self._wall_clock = wall_clock
        self._state = NOT_ASKED_YET
        self._due: float | None = None
        self._in_a_row = 0
        self._closing = False
        self._using = threading.Lock()
        """Held by who uses the connection. Nobody waits for it for long."""
        self._inherited: list[object] = []
        """The parent's, kept so that nothing closes it in the child."""

    @property
    def state(self) -> ServerState:
        """What was found out last."""
        state, due = self._state, self._due
        if state.up and due is not None and self._clock() - due > TOO_OLD:
            return self._down(state.failures, "not asked for long")
        return state

    # -- what is called in the thread of the probes ---------------------------------------------

    def tick(self) -> None:
        """Look, if it is time to."""
        observed = self._observed()
        if observed is None or observed.engine_is_gone:
            self.close()
        elif self._is_time(observed) and self._using.acquire(blocking=False):
            try:
                self._look(observed)
            finally:
                self._due = self._clock() + self._pause()
                self._using.release()
            if self._closing:
                self.close()

    def catch_up(self) -> None:
        """There is nothing to catch up with."""

    def _is_time(self, observed: Observed) -> bool:
        if self._closing:
            return False
        if self._due is None:
            # An engine that is not used may be made for others: in a process that forks, or by
            # a script that never connects.
            return observed.in_use
        return self._clock() >= self._due

    def _pause(self) -> float:
        """Seconds until the next look: longer and longer while there is no answer."""
        if self._in_a_row == 0:
            return self._interval
        backing_off: float = self._interval * 2 ** min(self._in_a_row - 1, 10)
        return max(self._interval, min(backing_off, LONGEST_PAUSE))

    def _look(self, observed: Observed) -> None:
        failures = self._state.failures
        before, began = observed.backends(), observed.now()
        try:
            reading, own_pid = self._read(self._connection)
        except BaseException as error:  # whatever a creator of the user's may raise
            self._failed(in_a_sentence(error), failures + 1)
            return
        joined = self._joining.join(reading, own_pid, before, observed.backends(), began)
        was_pooled = self._state.pooler
        self._state = ServerState(
            up=True,
            at=self._wall_clock(),
            failures=failures,
            limits=reading.limits,
            sessions=joined.sessions,
            longest_transaction=joined.longest_transaction,
            pooler=joined.pooler,
            holds=joined.holds,
        )
        if self._in_a_row:
            self._in_a_row = 0
            logger.info('pool "%s": the server answers the probe again', self._name)
        if joined.pooler and not was_pooled:
            logger.info(
                'pool "%s": between its connections and the server is a pooler such as PgBouncer, '
                "so that the server's sessions cannot be joined with holds",
                self._name,
            )

    def _failed(self, why: str, failures: int) -> None:
        self._in_a_row += 1
        self._state = self._down(failures, why)
        if self._in_a_row == 1:
            logger.warning(
                'pool "%s": the server did not answer the probe (%s). The application is not '
                "affected; it is asked again.",
                self._name,
                why,
            )

    def _down(self, failures: int, why: str) -> ServerState:
        """The server does not answer. Its limits are what they were."""
        last = self._state
        return ServerState(up=False, at=last.at, failures=failures, error=why, limits=last.limits)

    # -- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """End the connection; if a look is going on that does not end soon, at its end."""
        self._closing = True
        if not self._using.acquire(timeout=GRACE):
            return
        try:
            # In a thread of its own, for an event loop may be running in this one.
            with suppress(TimeoutError):
                Waiting().within(GRACE, self._connection.close, lambda _: None)
        finally:
            self._using.release()
        self._leave(self)

    def note_failure(self, place: str) -> None:
        """Count the exception being handled as a failure of ours."""
        observed = self._observed()
        if observed is not None:
            observed.note_failure(place)

    def forked(self, *, in_child: bool) -> None:
        """The connection stays the parent's; the child opens one when it needs it."""
        if in_child:
            self._inherited += self._connection.abandon()
            self._state = NOT_ASKED_YET
            self._due = None
            self._in_a_row = 0
            self._using = threading.Lock()
