"""Asks a live page again and again, in a thread of its own: an answer may not come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pool_observer.advice.asking import Asker, NoAnswerError
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.terminal.answer import Answer
from pool_observer.terminal.reading import answer

MOST_AT_ONCE = 8
"""Questions in one turn, of which each may be answered by another process."""

Told = Answer | CannotMeasureError


def ask(asker: Asker, url: str) -> Answer:
    """What the page says; raises if it says nothing, or nothing that is understood."""
    return understood(asker.json(url))


def understood(said: Any) -> Answer:
    """A document may be anything, and so may a number in it."""
    try:
        return answer(said)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CannotMeasureError(f"its figures cannot be read: {type(error).__name__}") from None


def ask_in_turn(asker: Asker, url: str, known: int, tell: Callable[[Told], None]) -> None:
    """As many questions as there are processes known: who answers is not ours to choose."""
    for _ in range(min(max(known, 1), MOST_AT_ONCE)):
        try:
            told = ask(asker, url)
        except CannotMeasureError as error:
            tell(error)
            return
        tell(told)


def is_hopeless(error: CannotMeasureError) -> bool:
    """Whether it is no use to go on asking, if that is the first thing that is heard."""
    return not isinstance(error, NoAnswerError)


class Inquiry:
    """A thread that asks, and says what was told.

    :param known: how many processes are known by now.
    :param tell: is called in that thread.
    """

    def __init__(
        self,
        asker: Asker,
        url: str,
        interval: float,
        known: Callable[[], int],
        tell: Callable[[Told], None],
    ) -> None:
        self._asker = asker
        self._url = url
        self._interval = interval
        self._known = known
        self._tell = tell
        self._over = threading.Event()

    def start(self) -> None:
        # What it waits for may never come, and is nobody's concern once the screen is gone.
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            ask_in_turn(self._asker, self._url, self._known(), self._tell)
            self._over.wait(max(0.0, self._interval - (time.monotonic() - began)))
