"""Lines with bold, reverse and colour, and how a terminal is told of them.

Only what every terminal has, and what can be read on a dark and on a light ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pool_observer.terminal.fitting import cut, tame, width


class Style(Enum):
    """What stands out, and how: with colours, and without."""

    PLAIN = ("", "")
    STRONG = ("1", "1")
    HEADER = ("7", "7")
    TROUBLE = ("1;37;41", "1;7")
    ATTENTION = ("30;43", "7")
    EXECUTING = ("32", "")
    IN_TRANSACTION = ("35", "")
    IDLE = ("31", "")


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of text, each in its style."""

    pieces: tuple[tuple[str, Style], ...] = ()

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces).rstrip()

    def cut(self, columns: int) -> Line:
        """As much of it as fits."""
        kept = []
        for text, style in self.pieces:
            shown = cut(text, columns)
            columns -= width(shown)
            kept.append((shown, style))
            if shown != text:
                break
        return Line(tuple(kept))

    def codes(self, *, colour: bool) -> str:
        """As a terminal takes it."""
        return "".join(
            f"\x1b[0;{style.value[not colour]}m{text}\x1b[0m" if style.value[not colour] else text
            for text, style in self.pieces
            if text
        )


def line(*pieces: str | tuple[str, Style]) -> Line:
    """Of texts that may be anything."""
    styled = [(each, Style.PLAIN) if isinstance(each, str) else each for each in pieces]
    return Line(tuple((tame(text), style) for text, style in styled))
