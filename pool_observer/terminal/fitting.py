"""How many columns a text takes in a terminal, and what of it fits into some."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

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


def cut_middle(text: str, columns: int) -> str:
    """Its beginning and its end."""
    if width(text) <= columns or columns < 3 * len(CUT):
        return cut_left(text, columns)
    beginning = cut(text, (columns + len(CUT)) // 2)
    return beginning + cut_left(text, columns - width(beginning) + len(CUT)).removeprefix(CUT)


def told_apart(names: Iterable[str], columns: int) -> dict[str, str]:
    """Each tame name as it fits, and no two alike, if there is a way.

    Ends first: what tells apart the databases of one host is there.
    """
    wanted = list(dict.fromkeys(names))
    common = _alike(wanted)
    ways: tuple[Callable[[str], str], ...] = (
        lambda name: cut_left(name, columns),
        lambda name: cut_middle(name, columns),
        lambda name: cut(CUT, columns - 1) + cut(name[common:], max(columns - len(CUT), 1)),
    )
    found = [{name: shorten(name) for name in wanted} for shorten in ways]
    return max(found, key=lambda shown: len(set(shown.values())))


def _alike(names: list[str]) -> int:
    """How many characters they all begin with."""
    beginnings = enumerate(zip(*names, strict=False))
    fewest = min(map(len, names), default=0)
    return next((number for number, each in beginnings if len(set(each)) > 1), fewest)


def padded(text: str, columns: int) -> str:
    """Cut or filled up to exactly these columns."""
    shown = cut(text, columns)
    return shown + " " * (columns - width(shown))


def wrapped(text: str, columns: int) -> list[str]:
    """A tame text in lines that fit, as `flowing` has it."""
    return flowing(text.split(), columns)


def flowing(words: Iterable[str], columns: int) -> list[str]:
    """Tame words in lines that fit.

    Only one that is longer than a line is cut; of a path, the end says most.
    """
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(cut_left(word, columns) if "/" in word else cut(word, columns))
    return lines
