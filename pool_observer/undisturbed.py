"""Keeps the garbage collector from running while frames of other threads are looked at.

On Python 3.11 it runs wherever something is allocated, and code that it calls may give up the
GIL: also while a frame object is being made for a frame of another thread, which goes on then and
leaves that frame. What is written next is written where no frame is any more, and the process dies.
From 3.12 on the collector waits until it can do no harm.
"""

from __future__ import annotations

import gc
import os
import sys
import threading


class Undisturbed:
    """For some microseconds, and for several threads at a time."""

    def __init__(self) -> None:
        self._follows_forks = False
        self._begin()

    def _begin(self) -> None:
        # Reentrant: until it is kept from it, the collector may run code that comes here.
        self._lock = threading.RLock()
        self._inside = 0
        self._collects = False

    def __enter__(self) -> None:
        if not self._follows_forks and hasattr(os, "register_at_fork"):
            self._follows_forks = True
            os.register_at_fork(after_in_child=self._forked)
        with self._lock:
            if self._inside == 0:
                self._collects = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._collects:
                gc.enable()

    def _forked(self) -> None:
        """Whoever was inside is not in this process."""
        if self._inside and self._collects:
            gc.enable()
        self._begin()


class _Needless:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


undisturbed: Undisturbed | _Needless = Undisturbed() if sys.version_info < (3, 12) else _Needless()
"""The one of this process."""
