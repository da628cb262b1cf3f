"""Our own failures: counted by place, logged once each, never shown to the application."""

from __future__ import annotations

import logging
import sys
import threading

logger = logging.getLogger("pool_observer")


class Failures:
    """Counts what went wrong inside us. `note()` itself never raises."""

    def __init__(self) -> None:
        # Reentrant: the garbage collector may run a check-in, and a failure in it, right here.
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}

    def note(self, place: str) -> None:
        """Count the exception being handled, with its traceback in the log the first time."""
        try:
            with self._lock:
                count = self._counts.get(place, 0) + 1
                self._counts[place] = count
            if count == 1:
                error = sys.exception()
                if error is not None:
                    # What the application was handling meanwhile is not ours to log: it may
                    # quote parameters.
                    error.__suppress_context__ = True
                logger.warning(
                    "pool_observer failed in %s; the application is not affected. "
                    "Further failures there are counted, not logged.",
                    place,
                    exc_info=error,
                )
        except Exception:  # noqa: S110  # a log handler that raises must not reach a check-in
            pass

    def counts(self) -> dict[str, int]:
        """Failures so far by place."""
        return self._counts.copy()

    def reset_after_fork(self) -> None:
        """The lock may have been held by a thread that does not exist in this process."""
        self._lock = threading.RLock()
        self._counts = {}
