"""`pool-observer top` where there is no terminal to draw on: a block of lines each time."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from pool_observer.advice.asking import Asker
from pool_observer.terminal.asking import Inquiry, News, ask
from pool_observer.terminal.screen import Wanted, lines
from pool_observer.terminal.seen import Seen
from pool_observer.terminal.styling import Line

Show = Callable[[list[Line]], None]


def once(asker: Asker, url: str, wanted: Wanted, width: int, show: Show) -> None:
    """One block; raises if there is no answer, or no such pool."""
    seen, answer = Seen(), ask(asker, url)
    answer.demand(wanted.pool)
    seen.hear(answer, time.monotonic())
    show(lines(seen, wanted, time.monotonic(), width, None))


def again_and_again(
    asker: Asker, url: str, wanted: Wanted, interval: float, width: int, show: Show
) -> None:
    """Until it is interrupted; raises if it is clear from the beginning that there is no answer."""
    seen = Seen(wanted.pool, time.monotonic(), interval)
    told: queue.SimpleQueue[News] = queue.SimpleQueue()
    inquiry = Inquiry(lambda: ask(asker, url), told.put)
    while True:
        began = time.monotonic()
        inquiry.turn(seen.questions(began))
        while not told.empty():
            news = told.get()
            seen.hear(news.told, time.monotonic(), news.asked)
        seen.asking_since = inquiry.asking_since
        show(lines(seen, wanted, time.monotonic(), width, None))
        time.sleep(max(0.0, interval - (time.monotonic() - began)))
