"""`pool-observer top` on a terminal: draws, and does what keys say."""

from __future__ import annotations

import queue
import time
from dataclasses import replace

from pool_observer.advice.asking import Asker
from pool_observer.terminal.asking import Inquiry, Told
from pool_observer.terminal.console import Console
from pool_observer.terminal.groups import Order
from pool_observer.terminal.screen import Wanted, lines
from pool_observer.terminal.seen import Seen
from pool_observer.terminal.styling import Line, Style, line

REDRAWN_EVERY = 1.0
"""Seconds: for how long there has been no answer is told even while there is none."""


def live(console: Console, asker: Asker, url: str, wanted: Wanted, interval: float) -> None:
    """Until somebody quits; raises if it is clear from the beginning that there is no answer."""
    told: queue.SimpleQueue[Told] = queue.SimpleQueue()
    screen = _Screen(console, wanted)

    def tell(news: Told) -> None:
        told.put(news)
        console.wake()

    inquiry = Inquiry(asker, url, interval, lambda: len(screen.seen.heard), tell)
    inquiry.start()
    try:
        while not screen.over:
            while not told.empty():
                screen.hear(told.get())
            screen.draw()
            screen.press(console.wait(REDRAWN_EVERY))
    finally:
        inquiry.stop()


class _Screen:
    """What is seen, what is wanted, and whether it is over."""

    def __init__(self, console: Console, wanted: Wanted) -> None:
        self.seen = Seen()
        self.over = False
        self._console = console
        self._wanted = wanted
        self._paused_at: float | None = None

    def hear(self, told: Told) -> None:
        """While it pauses, what it shows stays as it was."""
        if self._paused_at is None:
            self.seen.hear(told, time.monotonic())

    def press(self, keys: str) -> None:
        for key in keys.lower():
            if key == "q":
                self.over = True
            elif key == "p":
                self._paused_at = time.monotonic() if self._paused_at is None else None
            elif key == "s":
                self._wanted = replace(self._wanted, order=_other(self._wanted.order))

    def draw(self) -> None:
        size = self._console.size()
        now = time.monotonic() if self._paused_at is None else self._paused_at
        shown = lines(self.seen, self._wanted, now, size.columns, size.lines - 1)
        shown += [line()] * (size.lines - 1 - len(shown))
        self._console.draw([*shown, self._keys().cut(size.columns)])

    def _keys(self) -> Line:
        pauses = self._paused_at is not None
        state = ("  PAUSED", Style.ATTENTION) if pauses else ""
        return line(
            *(("q", Style.STRONG), " quit  "),
            *(("p", Style.STRONG), " go on  " if pauses else " pause  "),
            *(("s", Style.STRONG), f" sort by {_other(self._wanted.order)}"),
            state,
        )


def _other(order: Order) -> Order:
    return Order.AGE if order is Order.CONNECTIONS else Order.CONNECTIONS
