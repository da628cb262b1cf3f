"""The observers whose pools one exporter shows, for as long as they are there."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from pool_observer.observer import PoolObserver


class Observers:
    """Some observers. Refers to them weakly: one goes with its engine, and says nothing."""

    def __init__(self) -> None:
        # Replaced, never changed: who iterates in another thread keeps what it began with.
        self._references: tuple[weakref.ref[PoolObserver], ...] = ()

    def add(self, observer: PoolObserver) -> None:
        """Let this one be among them."""
        there = [reference for reference in self._references if reference() is not None]
        self._references = (*there, weakref.ref(observer))

    def remove(self, observer: PoolObserver) -> None:
        """Let this one be among them no more."""
        self._references = tuple(
            reference for reference in self._references if reference() not in (None, observer)
        )

    def __len__(self) -> int:
        return len(self._references)

    def __iter__(self) -> Iterator[PoolObserver]:
        """Those that observe something now."""
        for reference in self._references:
            observer = reference()
            if observer is not None and not observer.closed and not observer.engine_is_gone:
                yield observer
