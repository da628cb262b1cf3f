"""Standard output for a report alone, while code of others runs in this process."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator

from pool_observer.commands.writing import write


@contextlib.contextmanager
def standard_output_kept() -> Iterator[Callable[[str], object]]:
    """What writes the report. All else that is printed meanwhile goes to standard error.

    That is so for threads, processes and handlers too that have got hold of standard output.
    """
    if not _is_our_own():
        yield write
        return
    sys.stdout.flush()
    ours = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        yield lambda report: _write(ours, report)
    finally:
        sys.stdout.flush()
        os.dup2(ours, sys.stdout.fileno())
        os.close(ours)


def leave(status: int) -> None:
    """Have the process end with this status, and say no more on standard output.

    Threads may be left that nobody ends, and functions that want to be called at exit.
    """
    if not _is_our_own():
        return
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if any(
        not each.daemon for each in threading.enumerate() if each is not threading.main_thread()
    ):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _is_our_own() -> bool:
    """Whether standard output is the process's, is open, and has another to stand in for it."""
    return None not in (sys.stdout, sys.stderr) and sys.stdout is sys.__stdout__


def _write(descriptor: int, report: str) -> None:
    left = report.encode(sys.stdout.encoding, errors="backslashreplace")
    with contextlib.suppress(BrokenPipeError):  # who reads no further has had enough
        while left:
            left = left[os.write(descriptor, left) :]
