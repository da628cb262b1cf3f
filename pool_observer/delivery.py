"""Tells listeners what has happened, one event at a time and in order.

They may take as long as they like: they are told in a thread of their own, so that one that
waits for a network holds up neither checkouts nor the watchdog. What they do not keep up with
is dropped, the oldest first, and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Protocol

from pool_observer.explanation import ExplainedHold
from pool_observer.failures import Failures
from pool_observer.listener import Listener
from pool_observer.model import (
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Event,
    Hold,
    Wait,
)
from pool_observer.open_claims import BACKLOG

FOR_EVER = -1.0
PATIENCE = 1.0
"""Seconds that those wait for a listener who cannot wait until it comes back."""


class _Closed(Enum):
    """What comes after the last event."""

    CLOSED = "closed"


_METHOD_FOR: dict[type, str] = {
    Wait: "wait_ended",
    Hold: "hold_ended",
    ExplainedHold: "hold_overdue",
    ConnectionOpened: "connection_opened",
    ConnectionClosed: "connection_closed",
    ConnectionInvalidated: "connection_invalidated",
    _Closed: "observer_closed",
}

Listeners = tuple[Listener, ...]
Told = Event | ExplainedHold


class Messenger(Protocol):
    """A thread that delivers for those it watches."""

    def watch(self, watched: Delivery) -> None: ...
    def unwatch(self, watched: Delivery) -> None: ...
    def wake(self) -> None: ...


class Delivery:
    """The listeners of one pool, and what they have not been told yet."""

    def __init__(self, pool: str, failures: Failures, backlog: int = BACKLOG) -> None:
        self._pool = pool
        self._failures = failures
        self._backlog = backlog
        self.listeners: Listeners = ()
        self.dropped = 0
        self._messenger: Messenger | None = None
        self._begin()

    def _begin(self) -> None:
        self._queue: deque[tuple[Listeners, Told | _Closed]] = deque()
        self._delivering = threading.RLock()
        self._subscribing = threading.Lock()

    # -- who listens -------------------------------------------------------------------------

    def through(self, messenger: Messenger) -> None:
        """Have somebody deliver from now on, as soon as there is somebody to deliver to."""
        self._messenger = messenger
        if self.listeners:
            messenger.watch(self)

    def add(self, listener: Listener) -> None:
        """Tell this one of what comes from now on."""
        with self._subscribing:
            self.listeners = (*self.listeners, listener)
        if self._messenger is not None:
            self._messenger.watch(self)

    def remove(self, listener: Listener) -> None:
        """Tell it no more."""
        with self._subscribing:
            self.listeners = tuple(other for other in self.listeners if other is not listener)

    # -- what they are told ------------------------------------------------------------------

    def put(self, events: Iterable[Told | _Closed]) -> None:
        """Events that those who listen now are to be told of."""
        listeners = self.listeners
        self._queue.extend((listeners, event) for event in events)
        while len(self._queue) > self._backlog:
            self._drop()
        if self._queue and self._messenger is not None:
            self._messenger.wake()

    def _drop(self) -> None:
        if self._next() is None:  # it has been delivered just now
            return
        self.dropped += 1
        if self.dropped == 1:
            names = ", ".join(sorted({type(each).__qualname__ for each in self.listeners}))
            self._failures.warn(
                f'The listeners of pool "{self._pool}" do not keep up: {self._backlog} events are '
                f"waiting for {names}. The oldest are dropped, and counted; the pool's own figures "
                "are right."
            )

    def deliver(self, patience: float = FOR_EVER) -> None:
        """Tell them of everything until now; give up if somebody else is at it for too long."""
        if not self._delivering.acquire(timeout=patience):
            return
        try:
            while (entry := self._next()) is not None:
                listeners, event = entry
                for listener in listeners:
                    if listener in self.listeners:  # it may have left meanwhile
                        self._tell(listener, event)
                if event is _Closed.CLOSED:
                    self.listeners = ()
        finally:
            self._delivering.release()

    def _next(self) -> tuple[Listeners, Told | _Closed] | None:
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    def _tell(self, listener: Listener, event: Told | _Closed) -> None:
        method = _METHOD_FOR[type(event)]
        try:
            tell: Callable[..., None] = getattr(listener, method)
            tell() if event is _Closed.CLOSED else tell(event)
        except Exception:
            self._failures.note(f"{type(listener).__qualname__}.{method}")

    def close(self) -> None:
        """Tell them that there will be no more; those who are busy, when they come back to it."""
        self.put([_Closed.CLOSED])
        self.deliver(PATIENCE)
        if self._messenger is not None:
            self._messenger.unwatch(self)

    # -- what the messenger needs ------------------------------------------------------------

    def tick(self) -> None:
        """What is done once a second."""
        self.deliver()

    def catch_up(self) -> None:
        """What is done whenever there is something to tell."""
        self.deliver()

    def note_failure(self, place: str) -> None:
        """Count the exception being handled as a failure of ours."""
        self._failures.note(place)

    def forked(self, *, in_child: bool) -> None:
        """What has not been told yet is the parent's to tell."""
        if in_child:
            self._begin()
