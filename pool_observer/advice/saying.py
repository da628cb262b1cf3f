"""How advice is written: lines that are not too long, figures with the digits that count."""

from __future__ import annotations

from textwrap import wrap

WIDTH = 80


def say(sentence: str, indent: str = "  ") -> list[str]:
    """The sentence in lines that are not too long."""
    return wrap(
        one_paragraph(sentence),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )


def one_paragraph(sentence: str) -> str:
    """The sentence with nothing in it that a terminal takes for a command."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in sentence)


def figure(value: float) -> str:
    """A figure with three digits that count."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.005 or value <= 0 else "<0.01"


def duration(seconds: float) -> str:
    """Seconds with three digits that count."""
    return f"{figure(seconds)} s" if seconds >= 0.9995 else f"{figure(seconds * 1000)} ms"
