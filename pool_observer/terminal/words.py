"""Reads the words that a document has for what is one of a few things."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.reading import Part
from pool_observer.wording import one_line

Word = TypeVar("Word", bound=StrEnum)


def known(words: type[Word], part: Part) -> Word:
    """Which of them it is. What a newer service has added is nothing that we could explain."""
    try:
        return words(part.text())
    except ValueError:
        said = one_line(part.text())
        raise CannotMeasureError(
            f"{part.place} is {said!r}, which is not known here; use a pool-observer of the "
            "service's version"
        ) from None
