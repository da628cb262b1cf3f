"""Outlives a demo by a moment, and ends what is left of it, however it came to its end.

A program of its own, which imports nothing of ours: `keeper.py FOLDER`. Everything that a demo
starts has the name of its folder, a random one, on its command line.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

import psutil

PATIENCE = 3.0
"""Seconds for programs to end at each of the ways to tell them."""


def started_in(folder: str) -> list[psutil.Process]:
    """The programs that have this folder on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if process.pid == os.getpid():
            continue
        if any(folder in argument for argument in process.info["cmdline"] or ()):
            found.append(process)
    return found


def end_all(folder: str) -> None:
    """End them, and remove the folder."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):  # PostgreSQL's SIGINT is the fast
        left = started_in(folder)
        if not left:
            break
        for process in left:
            try:
                process.send_signal(how)
            except psutil.Error:  # it has just ended, or is not ours after all
                continue
        deadline = time.monotonic() + PATIENCE
        while started_in(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
    deadline = time.monotonic() + PATIENCE
    while os.path.exists(folder) and time.monotonic() < deadline:
        # What a program has started may write a last file, and has no folder on its command line.
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()  # returns when the demo is no more, as nothing is ever sent
    end_all(sys.argv[1])
