"""What an exporter implements: the events it wants to hear of, and nothing else."""

from __future__ import annotations

from pool_observer.explanation import ExplainedHold
from pool_observer.model import (
    ConnectionClosed,
    ConnectionInvalidated,
    ConnectionOpened,
    Hold,
    Wait,
)


class Listener:
    """Hears what happens in a pool, as a rule once it is over. Subclass it, override what you need.

    Listeners are called from a thread of their own, and by whoever asks for exact figures with
    `deliver()`, one call at a time and never on the application's path: a slow or broken
    listener delays other listeners, but no checkout. What a listener raises is counted and
    logged, not passed on; what it cannot keep up with is dropped in the end, and counted.

    >>> class SlowWaits(Listener):
    ...     def wait_ended(self, wait):
    ...         if wait.seconds > 0.5:
    ...             print(wait.holder, wait.call_site, wait.seconds)
    """

    def wait_ended(self, wait: Wait) -> None:
        """Somebody got a connection, or gave up waiting for one."""

    def hold_overdue(self, held: ExplainedHold) -> None:
        """A connection has been out for longer than its limit, and still is. Told once."""

    def hold_ended(self, hold: Hold) -> None:
        """A connection was returned, detached or lost."""

    def connection_opened(self, event: ConnectionOpened) -> None:
        """The pool opened a connection to the database."""

    def connection_closed(self, event: ConnectionClosed) -> None:
        """A connection to the database was closed."""

    def connection_invalidated(self, event: ConnectionInvalidated) -> None:
        """A connection was declared unusable."""

    def observer_closed(self) -> None:
        """No more events will come."""
