"""What the demo prints: lines, and while it runs one line that is written over and over."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TextIO

WIDTH = 80

EVERY = 5
"""Seconds between two lines of progress where none can be written over."""

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32"}


class Screen:
    """A terminal, or whatever else standard output is."""

    def __init__(
        self, stream: TextIO | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        if stream is None:
            if sys.stdout is None:
                raise OSError("standard output is closed")
            stream = sys.stdout
        self._stream = stream
        self._is_terminal = self._stream.isatty() and environment.get("TERM") != "dumb"
        self._in_colour = self._is_terminal and not environment.get("NO_COLOR")
        self._status_shown = False

    def say(self, text: str = "") -> None:
        """Lines that stay."""
        self._write(f"{self._clear()}{text}\n")

    def progress(self, second: int, text: str) -> None:
        """How far it is. On a terminal it is written over by the next one."""
        if self._is_terminal:
            width = min(WIDTH, shutil.get_terminal_size().columns)
            cut = text if len(text) < width else f"{text[: width - 4]}..."
            self._write(f"{self._clear()}{cut}")
            self._status_shown = True
        elif second % EVERY == 0:
            self._write(f"{text}\n")

    def styled(self, text: str, *styles: str) -> str:
        """The text in these styles, where there are any."""
        if not self._in_colour or not text or not styles:
            return text
        codes = ";".join(_STYLES[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def _clear(self) -> str:
        shown, self._status_shown = self._status_shown, False
        return "\r\x1b[K" if shown else ""

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()
