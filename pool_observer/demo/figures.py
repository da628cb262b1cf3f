"""What clients have seen, request by request, and what that comes to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

NO_ANSWER = 0
"""In place of a status."""

OVERLOADED = 503
"""What the example service answers when it got no connection in time."""


class Kind(StrEnum):
    """What users ask for."""

    CHAT = "LLM"
    ITEM = "CRUD"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as its user has seen it."""

    kind: Kind
    status: int
    seconds: float
    """How long it took, whatever came of it: who is told of a time-out has waited for it."""
    ended: float
    """Seconds after the users came."""

    @property
    def answered(self) -> bool:
        """Whether the user got what was asked for."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Figures:
    """All requests of a run, those that were under way at its end included."""

    requests: tuple[Request, ...]
    seconds: float
    """How long users began new ones."""

    def of(self, kind: Kind) -> Figures:
        """Those of a kind."""
        chosen = tuple(each for each in self.requests if each.kind is kind)
        return Figures(chosen, self.seconds)

    def quantile(self, share: float) -> float:
        """The seconds within which this share of the requests was over; NaN of none.

        Whatever came of them: ask `answers` where that is not what is meant.
        """
        return quantile((each.seconds for each in self.requests), share)

    @property
    def answers(self) -> Figures:
        """Those that were answered."""
        return Figures(tuple(each for each in self.requests if each.answered), self.seconds)

    @property
    def answered(self) -> int:
        """How many users got what they asked for."""
        return sum(each.answered for each in self.requests)

    @property
    def statuses(self) -> Counter[int]:
        """How many requests ended with each status."""
        return Counter(each.status for each in self.requests)

    @property
    def answered_per_minute(self) -> float:
        """While users began new ones."""
        return self._per_minute(each.answered for each in self.requests if self._counts(each))

    @property
    def timed_out(self) -> int:
        """How many were told that the service has no connection for them."""
        return self.statuses[OVERLOADED]

    @property
    def timed_out_per_minute(self) -> float:
        """While users began new ones."""
        late = (each.status == OVERLOADED for each in self.requests if self._counts(each))
        return self._per_minute(late)

    def _counts(self, request: Request) -> bool:
        return request.ended <= self.seconds

    def _per_minute(self, which: Iterable[bool]) -> float:
        return sum(which) * 60 / self.seconds


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that this share of them does not exceed; NaN of none.

    >>> quantile([3, 1, 2, 4], 0.5), quantile([3, 1, 2, 4], 0.95)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else math.nan
