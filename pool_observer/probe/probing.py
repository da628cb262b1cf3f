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
from typing import Protocol

from pool_observer.probe.connection import OwnConnection
from pool_observer.probe.joining import Backends, Joining
from pool_observer.probe.reading import Reading
from pool_observer.probe.refusals import in_a_sentence
from pool_observer.server import ServerState

logger = logging.getLogger("pool_observer")

LONGEST_PAUSE = 60.0
"""Seconds between two attempts, however often they have failed."""

GRACE = 1.0
"""Seconds beyond the time-out after which whoever waits for the server is cut off: drivers that
block cannot be told for how long."""

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
        timeout: float,
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
        self._timeout = timeout
        self._clock = clock
        self._wall_clock = wall_clock
        self._state = NOT_ASKED_YET
        self._due: float | None = None
        self._looking_since: float | None = None
        self._in_a_row = 0
        self._closing = False
        self._closed = threading.Event()
        self._inherited: list[object] = []
        """The parent's, kept so that nothing closes it in the child."""

    @property
    def state(self) -> ServerState:
        """What was found out last."""
        state = self._state
        if state.up and self._is_stuck():
            return self._down(state.failures, "no answer yet")
        return state

    def _is_stuck(self) -> bool:
        since = self._looking_since
        return since is not None and self._clock() - since > self._timeout + GRACE

    def cut_off(self) -> None:
        """Have a look that takes too long fail. Called once a second, in another thread."""
        if self._is_stuck():
            self._connection.cut()

    # -- what is called in the thread of the probes ---------------------------------------------

    def tick(self) -> None:
        """Look, if it is time to."""
        observed = self._observed()
        if self._closing or observed is None or observed.engine_is_gone:
            self._end()
            return
        now = self._clock()
        if self._due is None:
            # An engine that is not used may be made for others: in a process that forks, or by
            # a script that never connects.
            if not observed.in_use:
                return
        elif now < self._due:
            return
        self._looking_since = now
        try:
            self._look(observed)
        finally:
            self._looking_since = None
            self._due = self._clock() + self._pause()

    def catch_up(self) -> None:
        """Woken before it is time: only to end."""
        if self._closing:
            self._end()

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
        except Exception as error:
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

    def _end(self) -> None:
        self._connection.close()
        self._closed.set()
        self._leave(self)

    # -- the end --------------------------------------------------------------------------------

    def close(self, wake: Callable[[], None]) -> None:
        """Have the connection closed by the thread that uses it, and wait for that a little."""
        self._closing = True
        if self._looking_since is not None:
            self._connection.cut()
        wake()
        self._closed.wait(GRACE)

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
            self._due = self._looking_since = None
            self._in_a_row = 0
            self._closed = threading.Event()
