"""Reads JSON that somebody else has made: what is not as expected is an error that says where."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pool_observer.advice.measurement import CannotMeasureError

MOST = 1e12
"""No figure we ask for is higher."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document, and where it is in it."""

    value: Any
    place: str = "the document"

    def __getitem__(self, key: str) -> Part:
        if not isinstance(self.value, dict) or key not in self.value:
            raise CannotMeasureError(
                f"{self.place} has no {key!r}: is this a service of ours, and as new as this "
                "command?"
            )
        return Part(self.value[key], f"{key!r} of {self.place}")

    def optional(self, key: str) -> Part:
        """What an older service does not tell is null."""
        return self[key] if isinstance(self.value, dict) and key in self.value else Part(None)

    def __iter__(self) -> Iterator[Part]:
        if not isinstance(self.value, list):
            raise CannotMeasureError(f"{self.place} is no list")
        for number, each in enumerate(self.value):
            yield Part(each, f"item {number} of {self.place}")

    def items(self) -> Iterator[tuple[str, Part]]:
        if not isinstance(self.value, dict):
            raise CannotMeasureError(f"{self.place} is no object")
        for key, each in self.value.items():
            yield key, Part(each, f"an item of {self.place}")

    def pair(self) -> tuple[Part, Part]:
        parts = list(self)
        if len(parts) != 2:
            raise CannotMeasureError(f"{self.place} is no pair")
        return parts[0], parts[1]

    @property
    def is_null(self) -> bool:
        return self.value is None

    def number(self) -> float:
        """A figure, 0 or more."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CannotMeasureError(f"{self.place} is no number")
        return _bounded(value, self.place)

    def written_number(self) -> float:
        """A figure as Prometheus writes it: in a string."""
        try:
            return _bounded(float(self.text()), self.place)
        except ValueError:
            raise CannotMeasureError(f"{self.place} is no number") from None

    def whole(self) -> int:
        """A whole number, 0 or more."""
        return round(self.number())

    def whole_or_none(self) -> int | None:
        return None if self.is_null else self.whole()

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise CannotMeasureError(f"{self.place} is no text")
        return self.value


def _bounded(value: float, place: str) -> float:
    if not 0 <= value <= MOST or not math.isfinite(value):
        raise CannotMeasureError(f"{place} is no figure that can be")
    return float(value)
