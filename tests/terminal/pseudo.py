"""A pseudo-terminal with a program in it, and the screen that somebody would look at."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyte

from tests.support import wait_until

_IN_ITS_OWN_SESSION = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""

OURS = re.compile(
    rb"\x1b\[(\?1049[hl]|\?25[hl]|\?7[hl]|2J|\d+;1H|[JK]|0(;[0-9;]+)?m)"  # all that we ever write
)


class Screen(pyte.Screen):
    """pyte knows no alternate screen: that it is left is as if it had been wiped."""

    alternate = False

    def set_mode(self, *modes: int, **options: Any) -> None:
        if 1049 in modes:
            self.alternate = True
            self.save_cursor()
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes: int, **options: Any) -> None:
        if 1049 in modes:
            self.alternate = False
            self.erase_in_display(2)
            self.restore_cursor()
        super().reset_mode(*modes, **options)


class Terminal:
    """What runs in it, what it shows, and what it was told to show."""

    def __init__(
        self, master: int, slave: int, program: subprocess.Popen[bytes], size: tuple[int, int]
    ) -> None:
        self.program = program
        self.written = b""
        self._master = master
        self._screen = Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._slave: int | None = slave
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        """Until nobody writes any more."""
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            with self._lock:
                self.written += data
                self._stream.feed(data)

    @property
    def lines(self) -> list[str]:
        with self._lock:
            return [each.rstrip() for each in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_alternate(self) -> bool:
        return self._screen.alternate

    @property
    def has_cursor(self) -> bool:
        return not self._screen.cursor.hidden

    @property
    def modes(self) -> list[Any]:
        """How the terminal treats what is typed."""
        return termios.tcgetattr(self._master)

    @property
    def foreground(self) -> int:
        """The process group that gets what is typed."""
        return os.tcgetpgrp(self._master)

    def wait_for(self, *texts: str) -> None:
        try:
            wait_until(lambda: all(text in self.text for text in texts))
        except AssertionError:
            raise AssertionError(f"never seen: {texts}, but:\n{self.text}") from None

    def wait_until_gone(self, text: str) -> None:
        wait_until(lambda: text not in self.text)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """As if somebody dragged its window; what was on it stays to be drawn over."""
        with self._lock:
            self._screen.resize(lines, columns)
        _resize(self._master, columns, lines)

    def end(self) -> int:
        """The status with which the program ends, once all that it wrote has been read."""
        status = self.program.wait(30)
        self.close()
        return status

    def close(self) -> None:
        """Without a program, and without us, nobody is left who could write."""
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None
        self._reader.join(30)


@contextmanager
def terminal(
    command: Sequence[str],
    *,
    columns: int = 80,
    lines: int = 24,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Terminal]:
    """Run it there; what is left of it is killed."""
    with unread(command, columns=columns, lines=lines, environment=environment) as (
        master,
        slave,
        program,
    ):
        it = Terminal(master, slave, program, (columns, lines))
        try:
            yield it
        finally:
            program.kill()
            program.wait()
            it.close()


@contextmanager
def unread(
    command: Sequence[str],
    *,
    columns: int = 80,
    lines: int = 24,
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, int, subprocess.Popen[bytes]]]:
    """One of which nobody reads what it is told to show: both of its ends, and the program."""
    master, slave = pty.openpty()
    _resize(master, columns, lines)
    usual = {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    program = subprocess.Popen(
        [sys.executable, "-c", _IN_ITS_OWN_SESSION, *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**_without_ours(os.environ), **usual, **(environment or {})},
    )
    try:
        yield master, slave, program
    finally:
        program.kill()
        program.wait()
        os.close(master)


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """What decides how it looks is for the test to say."""
    ours = ("NO_COLOR", "TERM", "COLUMNS", "LINES")
    return {name: value for name, value in environment.items() if name not in ours}


def _resize(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def top(url: str, *options: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "pool_observer", "top", url, *options]
