"""How figures and names are written where people read them."""

from __future__ import annotations

LONGEST = 200
"""Characters of a line. Names of routes and files may be longer, and are cut."""


def in_words(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def one_line(text: str) -> str:
    """The text as one line of bounded length that no terminal takes for a command."""
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."


def plural(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
