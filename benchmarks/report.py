"""How results are printed."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from importlib import metadata


def header(distributions: Iterable[str] = ()) -> str:
    """Where this was measured, and with which versions."""
    versions = [f"{name} {_version(name)}" for name in distributions]
    lines = [
        f"Python {platform.python_version()}, SQLAlchemy {_version('sqlalchemy')}, "
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} CPUs",
        ", ".join(versions),
    ]
    return "\n".join(line for line in lines if line)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "(not installed)"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose source is aligned as well."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    ruler = ["-" * (widths[0]), *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return f"| {' | '.join(aligned)} |"

    return "\n".join(line(cells) for cells in (heads, ruler, *rows))


class Footnotes:
    """Remarks, each printed once however often it applies."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def mark(self, text: str) -> str:
        """The mark to print where the remark applies."""
        if text not in self._texts:
            self._texts.append(text)
        return f"[{self._texts.index(text) + 1}]"

    def __str__(self) -> str:
        return "\n".join(f"[{number}] {text}" for number, text in enumerate(self._texts, 1))
