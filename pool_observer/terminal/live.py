"""`pool-observer top` on a terminal: draws, and does what keys say."""

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from pool_observer.advice.asking import Asker
from pool_observer.terminal.asking import Inquiry, News, ask
from pool_observer.terminal.console import Console
from pool_observer.terminal.groups import Order
from pool_observer.terminal.screen import Wanted, lines
from pool_observer.terminal.seen import Seen
from pool_observer.terminal.styling import Line, Style, line

REDRAWN_EVERY = 1.0
"""Seconds: for how long there has been no answer is told even while there is none."""


def live(console: Console, asker: Asker, url: str, wanted: Wanted, interval: float) -> None:
    """Until somebody quits; raises if it is clear from the beginning that there is no answer."""
    told: queue.SimpleQueue[News] = queue.SimpleQueue()

    def tell(news: News) -> None:
        told.put(news)
        console.wake()

    inquiry = Inquiry(lambda: ask(asker, url), tell)
    screen, over = Screen(console, wanted, interval, time.monotonic), threading.Event()
    threading.Thread(target=_ask_on, args=[inquiry, interval, screen, over], daemon=True).start()
    try:
        while not screen.over:
            while not told.empty():
                screen.hear(told.get())
            screen.draw(inquiry.asking_since)
            screen.press(console.wait(REDRAWN_EVERY))
    finally:
        over.set()


def _ask_on(inquiry: Inquiry, interval: float, screen: Screen, over: threading.Event) -> None:
    while not over.is_set():
        began = time.monotonic()
        inquiry.turn(screen.seen.questions(began))
        over.wait(max(0.0, interval - (time.monotonic() - began)))


class Screen:
    """What is seen, what is wanted, and whether it is over."""

    def __init__(
        self, console: Console, wanted: Wanted, interval: float, clock: Callable[[], float]
    ) -> None:
        self.seen = Seen(wanted.pool, clock(), interval)
        self.over = False
        self._console = console
        self._wanted = wanted
        self._clock = clock
        self._paused: tuple[Seen, float] | None = None

    def hear(self, news: News) -> None:
        """Even while it pauses: who answers meanwhile is not missed afterwards."""
        self.seen.hear(news.told, self._clock(), news.asked)

    def press(self, keys: str) -> None:
        for key in keys.lower():
            if key == "q":
                self.over = True
            elif key == "p":
                self._paused = None if self._paused else (copy.copy(self.seen), self._clock())
            elif key == "s":
                self._wanted = replace(self._wanted, order=_other(self._wanted.order))

    def draw(self, asking_since: float | None) -> None:
        """While it pauses, what it showed.

        :param asking_since: when the oldest question was asked that has no answer yet.
        """
        size = self._console.size()
        self.seen.asking_since = asking_since
        seen, now = self._paused or (self.seen, self._clock())
        shown = lines(seen, self._wanted, now, size.columns, size.lines - 1)
        shown += [line()] * (size.lines - 1 - len(shown))
        self._console.draw([*shown, self._keys().cut(size.columns)])

    def _keys(self) -> Line:
        if not self._console.has_keys:
            return line(("Ctrl-C", Style.STRONG), " quits")
        state = ("  PAUSED", Style.ATTENTION) if self._paused else ""
        return line(
            *(("q", Style.STRONG), " quit  "),
            *(("p", Style.STRONG), " go on  " if self._paused else " pause  "),
            *(("s", Style.STRONG), f" sort by {_other(self._wanted.order)}"),
            state,
        )


def _other(order: Order) -> Order:
    return Order.AGE if order is Order.CONNECTIONS else Order.CONNECTIONS
