"""One answer for all who ask at the same time, and for a moment after."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from pool_observer.answering import in_a_thread

FRESH_FOR_SECONDS = 0.5
"""How long an answer is given again. The page asks once a second."""


class Shared:
    """Makes an answer when it is asked for one, one at a time, in a thread of its own."""

    def __init__(
        self, make: Callable[[], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()  # two event loops may serve the same application
        self._being_made: Future[bytes] | None = None
        self._made = b""
        self._made_at: float | None = None

    async def get(self) -> bytes:
        """The answer: a fresh one, or the one that is being made. Raises what making it did."""
        if self._process != os.getpid():
            # The thread that was making it, and may have held the lock, is not in this process.
            self._begin()
        with self._lock:
            if self._made_at is not None and self._clock() - self._made_at < FRESH_FOR_SECONDS:
                return self._made
            others = self._being_made
            if others is None:
                ours: Future[bytes] = Future()
                # From now on it cannot be cancelled: not all who wait for it are cancelled
                # when one of them is.
                ours.set_running_or_notify_cancel()
                self._being_made = ours
        if others is not None:
            return await asyncio.wrap_future(others)
        return await in_a_thread(lambda: self._fulfil(ours), "pool_observer-page")

    def _fulfil(self, promise: Future[bytes]) -> bytes:
        try:
            made = self._make()
        except BaseException as error:
            with self._lock:
                self._being_made = None
            promise.set_exception(error)
            raise
        with self._lock:
            self._being_made = None
            self._made, self._made_at = made, self._clock()
        promise.set_result(made)
        return made
