"""What has been seen of the worker processes behind an address, of which any may answer."""

from __future__ import annotations

from dataclasses import dataclass

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.terminal.answer import Answer
from pool_observer.terminal.asking import PATIENCE, Told, is_hopeless
from pool_observer.terminal.faults import HungUpError, NobodyThereError

SEARCHED_AFTER = 3.0
"""Seconds without an answer of a process, while others answer, after which more are asked."""

SILENT_AFTER = 10.0
"""After which it is in trouble, as on the live page."""

FORGOTTEN_AFTER = 30.0
"""After which its figures are dropped, and it is only said that it is not met."""

MISSED_FOR = 600.0
"""After which it is taken for ended."""

SEARCHED_FOR = 5.0
"""Seconds from the first answer on in which as many are asked, too."""

MOST_AT_ONCE = 8
"""Questions in one turn, of which each may be answered by another process."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last that one process said, and when that was, by the clock of who asked."""

    answer: Answer
    at: float


class Seen:
    """The last answer of each process, and why there is none just now.

    What it has is replaced, never changed, so that a copy stays as it is.

    :param pool: what the user wants to see; None is everything.
    :param began: when the asking began.
    :param interval: seconds in which nobody is asked, and so nobody is missed.
    """

    def __init__(self, pool: str | None = None, began: float = 0.0, interval: float = 0.0) -> None:
        self._pool = pool
        self._interval = interval
        self._heard: dict[str, Heard] = {}
        self._missed: dict[str, Heard] = {}
        self._last = began
        self._back = began
        self._searched_until = began
        self._refused_at: float | None = None
        self.trouble: str | None = None
        """Why the last question was asked in vain."""
        self.asking_since: float | None = None
        """When the oldest question was asked that has no answer yet."""

    def hear(self, told: Told, now: float, asked: float | None = None) -> None:
        """An answer, or that there was none; raises if that is clear from the beginning.

        :param asked: when the question was put; None is just now.
        """
        asked = now if asked is None else asked
        if not isinstance(told, CannotMeasureError):
            self._note(told, now, asked)
        elif self._is_clear(told, now - asked):
            raise told
        elif asked >= self._last:  # nobody has answered since
            self._note_trouble(told, now)

    def _is_clear(self, error: CannotMeasureError, took: float) -> bool:
        """Whether it is the beginning: a service that hung, and then hung up, may come back."""
        has_ended = took >= PATIENCE and isinstance(error, HungUpError)
        begins = not self._heard and self.trouble is None
        return begins and not has_ended and is_hopeless(error)

    def _note(self, answer: Answer, now: float, asked: float) -> None:
        if not self._heard:
            self._begin(answer, now)
        if self._refused_at is not None:
            self._drop_ended(self._refused_at, now)
        if self.trouble is not None or (asked >= self._last and now - asked >= PATIENCE):
            self._back = now  # nobody has answered meanwhile, which tells nothing of one of them
        self._last = now
        heard = {**self._heard, answer.process: Heard(answer, now)}
        gone = {
            process: each
            for process, each in heard.items()
            if self.missing(each) >= FORGOTTEN_AFTER
        }
        self._heard = {process: each for process, each in heard.items() if process not in gone}
        self._missed = {
            process: each
            for process, each in {**self._missed, **gone}.items()
            if process != answer.process and now - each.at < MISSED_FOR
        }
        self.trouble = None

    def _begin(self, answer: Answer, now: float) -> None:
        if self._pool is not None:
            answer.demand(self._pool)
        self._searched_until = now + SEARCHED_FOR

    def _drop_ended(self, refused_at: float, now: float) -> None:
        """Nobody listened: who answered before that has ended, and is not missed."""
        self._heard = {
            process: each for process, each in self._heard.items() if each.at >= refused_at
        }
        self._missed = {}
        self._refused_at = None
        self._searched_until = now + SEARCHED_FOR

    def _note_trouble(self, error: CannotMeasureError, now: float) -> None:
        """What was heard before stays to be seen."""
        if isinstance(error, NobodyThereError):
            self._refused_at = now
        self.trouble = str(error)

    @property
    def heard(self) -> list[Heard]:
        """Of all processes, in the order of their pids."""
        return _ordered(self._heard)

    @property
    def missed(self) -> list[Heard]:
        """Processes that have not been met for so long that their figures say nothing."""
        return _ordered(self._missed)

    @property
    def last(self) -> float:
        """When the last answer came, or the asking began."""
        return self._last

    def behind(self, heard: Heard) -> float:
        """Seconds by which its figures are older than those of others."""
        return self._last - heard.at - self._interval

    def missing(self, heard: Heard) -> float:
        """Seconds for which others have answered, and it has not."""
        return self._last - max(heard.at, self._back) - self._interval

    def questions(self, now: float) -> int:
        """How many to ask in a turn: who answers is not ours to choose."""
        heard = self.heard
        missed = any(self.behind(each) >= SEARCHED_AFTER for each in heard)
        if not heard or missed or now < self._searched_until:
            return MOST_AT_ONCE
        return min(len(heard), MOST_AT_ONCE)


def _ordered(processes: dict[str, Heard]) -> list[Heard]:
    return sorted(processes.values(), key=lambda each: (each.answer.pid, each.answer.process))
