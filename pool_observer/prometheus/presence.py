"""Which of the processes that share a directory are alive; the figures of the dead are removed.

Each process keeps a file locked in the directory. The kernel releases the lock when the
process ends, however it ends; and unlike a process ID, a lock is never somebody else's by now,
nor in another container.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

try:
    import fcntl
except ImportError:  # Windows, where no server of several workers runs
    fcntl = None  # type: ignore[assignment]

PREFIX, SUFFIX = "pool_observer_", ".alive"
ATTEMPTS = 10
PAUSE_SECONDS = 0.01


class Presence:
    """The lock of this process. It is kept until the process ends."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._lock: int | None = None
        self._directory: Path | None = None

    def announce(self, directory: Path) -> None:
        """Be known as alive, from now on. Raises OSError where no file can be made."""
        pid = os.getpid()
        if fcntl is None or (self._pid == pid and self._directory == directory):
            return
        self.leave()
        path = directory / f"{PREFIX}{pid}{SUFFIX}"
        for _ in range(ATTEMPTS):
            self._lock = _locked(path, os.O_RDWR | os.O_CREAT)
            if self._lock is not None:
                break
            # Somebody is clearing up after an earlier process of this ID.
            time.sleep(PAUSE_SECONDS)
        self._pid, self._directory = pid, directory

    def leave(self) -> None:
        """Let go of the lock. After a fork it stays locked as long as the parent has it."""
        if self._lock is not None:
            os.close(self._lock)
        self._pid = self._lock = None

    def remove_the_dead(self, directory: Path) -> None:
        """Remove the gauges of processes that were here, and have ended."""
        if fcntl is None:
            return
        for path, pid in _announced(directory):
            if pid == self._pid:
                continue
            with contextlib.suppress(FileNotFoundError):  # another worker is at it as well
                lock = _locked(path, os.O_RDWR)
                if lock is None:
                    continue  # it is alive
                try:
                    mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
                    _remove_unborn(directory, pid)
                    path.unlink()
                finally:
                    os.close(lock)


process_presence = Presence()
"""That of this process, whatever it observes."""


def _announced(directory: Path) -> Iterator[tuple[Path, int]]:
    for path in directory.glob(f"{PREFIX}*{SUFFIX}"):
        pid = path.name.removeprefix(PREFIX).removesuffix(SUFFIX)
        if pid.isdecimal():
            yield path, int(pid)


def _locked(path: Path, flags: int) -> int | None:
    """The file, locked; None if somebody else has the lock, or has removed the file."""
    handle = os.open(path, flags, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # What we have locked may have been removed meanwhile, and made anew.
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _remove_unborn(directory: Path, pid: int) -> None:
    """Remove files that were created and never filled: every scrape would stumble over them."""
    for path in directory.glob(f"*_{pid}.db"):
        if path.stat().st_size == 0:
            path.unlink()
