"""Asks a live page again and again, each time in a thread of its own: an answer may not come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pool_observer.advice.asking import Asker, NoAnswerError
from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.terminal.answer import Answer
from pool_observer.terminal.faults import with_mend
from pool_observer.terminal.reading import answer

PATIENCE = 2.0
"""Seconds after which a question is left to itself, and it is said that there is no answer."""

MOST_UNANSWERED = 4
"""Questions that are left to themselves at the same time."""

Told = Answer | CannotMeasureError


@dataclass(frozen=True, slots=True)
class News:
    """What was told to a question of that time."""

    told: Told
    asked: float


def document(asker: Asker, url: str) -> Any:
    """The JSON that is there; raises if there is none."""
    try:
        return asker.json(url)
    except CannotMeasureError as error:
        raise with_mend(error, url, asker.timeout) from None


def ask(asker: Asker, url: str) -> Answer:
    """What the page says; raises if it says nothing, or nothing that is understood."""
    return understood(document(asker, url))


def understood(said: Any) -> Answer:
    """A document may be anything, and so may a number in it."""
    try:
        return answer(said)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CannotMeasureError(f"its figures cannot be read: {type(error).__name__}") from None


def is_hopeless(error: CannotMeasureError) -> bool:
    """Whether it is no use to go on asking, if that is the first thing that is heard."""
    return not isinstance(error, NoAnswerError)


@dataclass(slots=True, eq=False)
class _Question:
    asked: float = field(default_factory=time.monotonic)
    answered: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class Inquiry:
    """Asks, and says what was told. One that hangs keeps nobody from asking another worker.

    :param tell: is called in the threads that ask.
    """

    def __init__(
        self,
        ask: Callable[[], Answer],
        tell: Callable[[News], None],
        patience: float = PATIENCE,
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._patience = patience
        self._lock = threading.Lock()
        self._open: list[_Question] = []

    @property
    def asking_since(self) -> float | None:
        """When the oldest of the questions was asked that have no answer yet."""
        with self._lock:
            return min((each.asked for each in self._open), default=None)

    def turn(self, questions: int) -> None:
        """So many, one after the other, up to the first that is not answered soon."""
        for _ in range(questions):
            with self._lock:
                if len(self._open) >= MOST_UNANSWERED:
                    return
                question = _Question()
                self._open.append(question)
            # What it waits for may never come, and is nobody's concern once the screen is gone.
            threading.Thread(target=self._put, args=[question], daemon=True).start()
            question.over.wait(self._patience)
            if not question.answered:
                return

    def _put(self, question: _Question) -> None:
        told: Told
        try:
            told = self._ask()
            question.answered = True
        except CannotMeasureError as error:
            told = error
        finally:
            with self._lock:
                self._open.remove(question)
        self._tell(News(told, question.asked))
        question.over.set()
