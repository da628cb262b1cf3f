"""One daemon thread per process that looks after all observers once a second.

It counts what has happened, so that nothing of it is left to the application's checkouts. It
is a thread, not a task, because it must go on when the event loop is blocked; that is when it
is needed. A second one tells listeners, where there are any: they must not block the first.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

TICK_SECONDS = 1.0
LONGEST_PAUSE_FOR_FORK = 0.25


class Watched(Protocol):
    """What the watchdog needs of an observer."""

    def tick(self) -> None: ...
    def catch_up(self) -> None: ...
    def note_failure(self, place: str) -> None: ...
    def forked(self, *, in_child: bool) -> None: ...


class Watchdog:
    """Ticks for everything it watches, from the first to the last of them.

    It refers to them weakly, unless it is to `keep` them until they leave: an engine that is
    simply dropped takes its observer along.
    """

    def __init__(
        self,
        tick_seconds: float = TICK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        name: str = "watchdog",
        *,
        keep: bool = False,
    ) -> None:
        self._name = f"pool_observer-{name}"
        self._tick_seconds = tick_seconds
        self._clock = clock
        self._watched: weakref.WeakSet[Watched] | set[Watched]
        self._watched = set() if keep else weakref.WeakSet()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        # A bare lock serves as the alarm clock: releasing it is atomic and takes no other
        # lock, so that a check-in run by the garbage collector may do it at any point. An
        # Event would deadlock there.
        self._alarm = _thread.allocate_lock()
        self._alarm.acquire()
        self._follows_forks = False
        self._forking = False

    def watch(self, watched: Watched) -> None:
        """Tick for it from now on."""
        with self._lock:
            self._follow_forks()
            self._watched.add(watched)
            self._start()

    def unwatch(self, watched: Watched) -> None:
        """Tick for it no more; with the last of them the thread ends."""
        with self._lock:
            self._watched.discard(watched)
            thread = None if self._watched else self._thread
        if thread is not None:
            self.wake()
            if thread is not threading.current_thread():
                thread.join(timeout=self._tick_seconds)

    def watched(self) -> list[Watched]:
        """Everything it ticks for."""
        with self._lock:
            return list(self._watched)

    def wake(self) -> None:
        """Catch up at once rather than at the end of the second. Safe to call from anywhere."""
        with contextlib.suppress(RuntimeError):  # already ringing
            self._alarm.release()

    def tick(self) -> None:
        """One round. The thread does little else; tests step it by hand."""
        self._have_each(lambda watched: watched.tick())

    def catch_up(self) -> None:
        """Have what has happened counted, where there is so much that it cannot wait."""
        self._have_each(lambda watched: watched.catch_up())

    def _have_each(self, do: Callable[[Watched], None]) -> None:
        for watched in self.watched():
            try:
                do(watched)
            except Exception:
                watched.note_failure("the watchdog")

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        due = self._clock() + self._tick_seconds
        while True:
            self._alarm.acquire(timeout=max(0, due - self._clock()))
            if not self._forking:
                if self._clock() < due:
                    self.catch_up()
                else:
                    self.tick()
                    due = self._clock() + self._tick_seconds
            with self._lock:
                if self._forking or not self._watched:
                    self._thread = None
                    return

    # -- fork --------------------------------------------------------------------------------
    #
    # The thread ends before a fork and begins again after it, on both sides. Were it in the
    # middle of a delivery, the child would inherit the exporter's locks, locked for ever; and
    # from 3.12 on, Python warns about every fork of a process that has threads.

    def _follow_forks(self) -> None:
        if not self._follows_forks and hasattr(os, "register_at_fork"):
            self._follows_forks = True
            os.register_at_fork(
                before=self._end_before_fork,
                after_in_parent=self._begin_again,
                after_in_child=self._begin_anew_in_child,
            )

    def _end_before_fork(self) -> None:
        self._forking = True
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self.wake()
            thread.join(timeout=LONGEST_PAUSE_FOR_FORK)

    def _begin_again(self) -> None:
        self._tell_of_fork(in_child=False)
        self._go_on()

    def _tell_of_fork(self, *, in_child: bool) -> None:
        for watched in list(self._watched):
            try:
                watched.forked(in_child=in_child)
            except Exception:
                watched.note_failure("following a fork")

    def _go_on(self) -> None:
        with self._lock:
            self._forking = False
            if self._watched:
                self._start()

    def _begin_anew_in_child(self) -> None:
        self._lock = threading.RLock()  # it may have been held by a thread that is not here
        self._alarm = _thread.allocate_lock()
        self._alarm.acquire()
        self._thread = None
        self._tell_of_fork(in_child=True)
        self._go_on()


process_watchdog = Watchdog()
"""The one of this process. It holds no thread until something is watched."""

process_messenger = Watchdog(name="messenger")
"""Another, for telling listeners, who may take their time: it is only their own."""

process_reporter = Watchdog(name="reporter")
"""And one for what is logged: its handlers may take their time too."""

process_prober = Watchdog(name="prober", keep=True)
"""And one that waits for database servers, and closes the connections to them."""
