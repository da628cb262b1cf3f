"""Meets the workers behind one address, of which any may answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from pool_observer.advice.measurement import CannotMeasureError

AT_ONCE = 8
"""So many questions are open at the same time: a worker that is busy with one leaves the next to
another."""

LEAST_IN_VAIN = 60
IN_VAIN_FOR_EACH = 20
"""So often it is asked in vain for a worker that has not been met, for each that has been, before
it is believed that there is none. One of several that are met equally often is missed with a
chance of about e**-20."""

MOST_WORKERS = 256

MOST_SECONDS = 10.0
"""After that time nothing more is asked, however many may not have been met."""

Told = TypeVar("Told")


class Meeting(Generic[Told]):
    """What each worker told, by its id, and what was asked in vain.

    :param expected: how many workers there are, if that is known.
    """

    def __init__(
        self, expected: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.told: dict[str, Told] = {}
        self.questions = 0
        self.failures: list[str] = []
        self._in_vain = 0
        self._expected = MOST_WORKERS if expected is None else expected
        self._clock = clock
        self._lock = threading.Lock()

    def note(self, worker: str, told: Told) -> None:
        """Somebody answered."""
        with self._lock:
            self.questions += 1
            self._in_vain = self._in_vain + 1 if worker in self.told else 0
            self.told.setdefault(worker, told)

    def note_failure(self, said: str) -> None:
        """Nobody did, or not as expected."""
        with self._lock:
            self.questions += 1
            self._in_vain += 1
            self.failures.append(said)

    def meet(self, ask: Callable[[], Any], understood: Callable[[Any], tuple[str, Told]]) -> None:
        """Ask until it is in vain."""
        until = self._clock() + MOST_SECONDS

        def keep_asking() -> None:
            while not self._is_over() and self._clock() < until:
                try:
                    worker, told = understood(ask())
                except CannotMeasureError as error:
                    self.note_failure(str(error))
                else:
                    self.note(worker, told)

        together([keep_asking] * AT_ONCE)

    def _is_over(self) -> bool:
        with self._lock:
            met = len(self.told)
            enough = max(LEAST_IN_VAIN, IN_VAIN_FOR_EACH * met)
            return met >= min(self._expected, MOST_WORKERS) or self._in_vain >= enough


def together(tasks: Iterable[Callable[[], None]]) -> None:
    """Do all of this at the same time. Who interrupts it need not wait for any of it."""
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
