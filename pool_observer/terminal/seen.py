"""What has been seen of the worker processes behind an address, of which any may answer."""

from __future__ import annotations

from dataclasses import dataclass

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.terminal.answer import Answer
from pool_observer.terminal.asking import Told, is_hopeless

FORGOTTEN_AFTER = 30.0
"""Seconds without an answer of a process, while others answer, after which it is taken for gone."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The last that one process said, and when that was, by the clock of who asked."""

    answer: Answer
    at: float


class Seen:
    """The last answer of each process, and why there is none just now."""

    def __init__(self) -> None:
        self._heard: dict[str, Heard] = {}
        self.trouble: str | None = None
        """Why the last question was asked in vain."""
        self.trouble_since = 0.0

    def hear(self, told: Told, now: float) -> None:
        """An answer, or that there was none; raises if that is clear from the beginning."""
        if not isinstance(told, CannotMeasureError):
            self._note(told, now)
        elif not self._heard and is_hopeless(told):
            raise told
        else:
            self._note_trouble(str(told), now)

    def _note(self, answer: Answer, now: float) -> None:
        self._heard[answer.process] = Heard(answer, now)
        self._heard = {
            process: heard
            for process, heard in self._heard.items()
            if now - heard.at < FORGOTTEN_AFTER
        }
        self.trouble = None

    def _note_trouble(self, said: str, now: float) -> None:
        """What was heard before stays to be seen."""
        if self.trouble is None:
            self.trouble_since = now
        self.trouble = said

    @property
    def heard(self) -> list[Heard]:
        """Of all processes, in the order of their pids."""
        return sorted(self._heard.values(), key=lambda each: (each.answer.pid, each.answer.process))
