"""The observers whose pools one exporter shows, for as long as they are there."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from pool_observer.observer import PoolObserver

_Reference = weakref.ref[PoolObserver]


class Observers:
    """Some observers. Refers to them weakly: one goes with its engine, and says nothing.

    Threads may add, remove and iterate at a time: each step is one operation on a dict.
    """

    def __init__(self) -> None:
        self._references: dict[_Reference, None] = {}

    def add(self, observer: PoolObserver) -> None:
        """Let this one be among them."""
        self._references[weakref.ref(observer, self._forget)] = None

    def remove(self, observer: PoolObserver) -> None:
        """Let this one be among them no more."""
        self._forget(weakref.ref(observer))

    def _forget(self, reference: _Reference) -> None:
        self._references.pop(reference, None)

    def __len__(self) -> int:
        return len(self._references)

    def __iter__(self) -> Iterator[PoolObserver]:
        """Those that observe something now."""
        for reference in list(self._references):
            observer = reference()
            if observer is not None and not observer.closed and not observer.engine_is_gone:
                yield observer
