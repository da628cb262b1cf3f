"""Writes what a command has to say, whatever becomes of it."""

from __future__ import annotations

import errno
import os
import sys
from typing import TextIO

from pool_observer.wording import one_line


def write(text: str) -> bool:
    """To stdout. What its encoding lacks is written in its stead as Python does.

    Raises OSError if it cannot be written. Who reads no further, as `head`, has had enough, which
    is no error; returns whether there is somebody who does.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()  # or it would fail when Python ends, where nobody can say so
    except BrokenPipeError:
        forget(sys.stdout)
        return False
    return True


def cannot_be(done: str, error: OSError) -> str:
    """What is wrong with a file, or with standard output, as all commands say it."""
    what = "" if error.filename is None else f"{one_line(os.fsdecode(error.filename))} "
    return f"{what}cannot be {done}: {error.strerror or error}"


def forget(stream: TextIO) -> None:
    """Have what is still to be written go nowhere: Python would try again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
