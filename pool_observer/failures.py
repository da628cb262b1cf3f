"""Our own failures: counted by place, logged once each, never shown to the application.

They may be noted under a lock of ours. A log's handler may want that lock in another thread, while
it keeps its own; so what an observer has to log waits until somebody tells it who holds none.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections import deque

logger = logging.getLogger("pool_observer")

MOST_UNSAID = 1000


class Failures:
    """Counts what went wrong inside us. `note()` itself never raises.

    With `at_once` it logs too, where no lock of ours can be held; otherwise `tell()` does.
    """

    def __init__(self, *, at_once: bool = True) -> None:
        self._at_once = at_once
        self._begin()

    def _begin(self) -> None:
        # Reentrant: the garbage collector may run a check-in, and a failure in it, right here.
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}
        self._unsaid: deque[str] = deque(maxlen=MOST_UNSAID)

    def note(self, place: str) -> None:
        """Count the exception being handled, with its traceback in the log the first time."""
        try:
            with self._lock:
                count = self._counts.get(place, 0) + 1
                self._counts[place] = count
            if count == 1:
                self.warn(
                    f"pool_observer failed in {place}; the application is not affected. "
                    f"Further failures there are counted, not logged.{_traceback()}"
                )
        except Exception:  # noqa: S110  # a log handler that raises must not reach a check-in
            pass

    def warn(self, sentence: str) -> None:
        """Have something logged."""
        self._unsaid.append(sentence)
        if self._at_once:
            self.tell()

    @property
    def has_something_to_tell(self) -> bool:
        """Whether anything waits to be logged."""
        return bool(self._unsaid)

    def tell(self) -> None:
        """Log what waits to be. To be called by who holds no lock of ours."""
        while self._unsaid:
            try:
                sentence = self._unsaid.popleft()
            except IndexError:  # somebody else was quicker
                return
            logger.warning("%s", sentence)

    def counts(self) -> dict[str, int]:
        """Failures so far by place."""
        return self._counts.copy()

    def reset_after_fork(self) -> None:
        """The lock may have been held by a thread that does not exist in this process."""
        self._begin()


def _traceback() -> str:
    error = sys.exception()
    if error is None:
        return ""
    # What the application was handling meanwhile is not ours to log: it may quote parameters.
    error.__suppress_context__ = True
    return "\n" + "".join(traceback.format_exception(error)).rstrip()
