"""Tells of the last second of a process, before OpenTelemetry's providers shut down."""

from __future__ import annotations

import atexit
from contextlib import suppress

from pool_observer.delivery import PATIENCE
from pool_observer.observer import PoolObserver
from pool_observer.observers import Observers


class AtExit:
    """Delivers for its observers when the process ends, in which the last to come is the first."""

    def __init__(self) -> None:
        self._observers = Observers()

    def add(self, observer: PoolObserver) -> None:
        """Deliver for this one too.

        Its providers may be set up later, and would then shut down before us. By the first
        tick they are there.
        """
        self._observers.add(observer)
        self._come_last()
        observer.at_first_tick(self._come_last)

    def _come_last(self) -> None:
        atexit.unregister(self.deliver)
        atexit.register(self.deliver)

    def deliver(self) -> None:
        """Tell of what has happened since the last tick."""
        for observer in self._observers:
            with suppress(Exception):  # whom should we tell
                observer.deliver(PATIENCE)


process_at_exit = AtExit()
"""That of this process."""
