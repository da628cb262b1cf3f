"""Tells the log what there is to tell: by a thread of its own, as soon as there is something.

A log's handler may take its time, fail, or wait for a connection itself. It must not keep the
watchdog from watching, nor run under a lock of ours.
"""

from __future__ import annotations

from typing import Protocol

from pool_observer.failures import Failures
from pool_observer.incidents import Incidents


class Reporter(Protocol):
    """A thread that tells for those it watches."""

    def watch(self, watched: Reports) -> None: ...
    def unwatch(self, watched: Reports) -> None: ...
    def wake(self) -> None: ...


class Reports:
    """What one observer has to log."""

    def __init__(self, failures: Failures, incidents: Incidents) -> None:
        self._failures = failures
        self._incidents = incidents
        self._reporter: Reporter | None = None

    def through(self, reporter: Reporter) -> None:
        """Have somebody tell from now on, instead of whoever asks for it."""
        self._reporter = reporter

    def soon(self) -> None:
        """Have it told, if there is anything."""
        if not (self._failures.has_something_to_tell or self._incidents.has_something_to_tell):
            return
        if self._reporter is None:
            self.tell()
        else:
            self._reporter.watch(self)
            self._reporter.wake()

    def tell(self, *, last: bool = False) -> None:
        """Log it now. With `last`, all that is left."""
        try:
            self._failures.tell()
            self._incidents.tell(last=last)
        except Exception:  # a filter or handler of the application's
            self._failures.note("logging")

    def close(self) -> None:
        """Log what is left, and have nobody tell any more."""
        if self._reporter is not None:
            self._reporter.unwatch(self)
        self.tell(last=True)

    # -- what the reporter needs -------------------------------------------------------------

    def tick(self) -> None:
        """What is done once a second."""
        self.tell()

    def catch_up(self) -> None:
        """What is done whenever there is something to tell."""
        self.tell()

    def note_failure(self, place: str) -> None:
        """Count the exception being handled as a failure of ours."""
        self._failures.note(place)

    def forked(self, *, in_child: bool) -> None:
        """What was to be told is begun anew by those who know it."""
