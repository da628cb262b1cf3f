"""How many columns a text takes in a terminal, and what of it fits into some."""

from __future__ import annotations

import unicodedata

from pool_observer.wording import one_line

CUT = "..."


def tame(text: str) -> str:
    """The text as one line whose width no two terminals disagree about.

    What takes no column of its own is left out: terminals draw it over what is beside it.
    """
    composed = unicodedata.normalize("NFC", one_line(text))
    return "".join(each for each in composed if not unicodedata.category(each).startswith("M"))


def width(text: str) -> int:
    """Its columns, if it is tame."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """As much of a tame text as fits, and that it is not all of it."""
    if width(text) <= columns:
        return text
    marked = CUT if columns >= 2 * len(CUT) else ""
    left = columns - len(marked)
    kept = []
    for each in text:
        left -= _columns(each)
        if left < 0:
            break
        kept.append(each)
    return "".join(kept) + marked


def cut_left(text: str, columns: int) -> str:
    """The end of it."""
    return cut(text[::-1], columns)[::-1]


def padded(text: str, columns: int) -> str:
    """Cut or filled up to exactly these columns."""
    shown = cut(text, columns)
    return shown + " " * (columns - width(shown))


def wrapped(text: str, columns: int) -> list[str]:
    """A tame text in lines that fit. Only a word that is longer than a line is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(cut(word, columns))
    return lines
