"""Writes what a command has to say, whatever becomes of it."""

from __future__ import annotations

import sys


def write(text: str) -> None:
    """To stdout. What its encoding lacks is written in its stead as Python does.

    Raises OSError if it cannot be written. Who reads no further, as `head`, has had enough, which
    is no error.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()  # or it would fail when Python ends, where nobody can say so
    except BrokenPipeError:
        return
