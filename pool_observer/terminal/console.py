"""A terminal that is drawn on as a whole, and is left as it was, whatever happens."""

from __future__ import annotations

import contextlib
import math
import os
import re
import select
import signal
import termios
import time
import tty
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from pool_observer.terminal.styling import Line

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""Another screen, no cursor; and what is too long is not continued on the next line."""
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_SEQUENCES = re.compile(r"\x1b(\[[0-9;?]*.?|O.?|.)?", re.DOTALL)
"""What arrows and function keys send has letters in it that nobody has typed."""

HANDLED_WITHIN = 0.1
"""Seconds after which a signal is handled, whatever the terminal does."""

LAST_PATIENCE = 0.5
"""Seconds in which a terminal takes what gives it back, or does not."""

SMALLEST = os.terminal_size((80, 24))
"""What is taken for the size of a terminal that does not know it."""


class EndedError(BaseException):
    """Somebody has told this process to end: no `except Exception` may keep it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Console:
    """Use it as a context. Signals that end the process are raised inside it, as `EndedError`.

    :param keys: the descriptor that keys are read from; None if nobody types.
    """

    def __init__(self, output: int, keys: int | None, encoding: str, *, colour: bool) -> None:
        self._output = output
        self._keys = keys
        self._encoding = encoding
        self._colour = colour
        self._mode: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._woken, self._waking = os.pipe()
        for end in (self._woken, self._waking):
            os.set_blocking(end, False)

    def __enter__(self) -> Self:
        for number in _ENDING:
            self._handle(number, self._end)
        self._handle(signal.SIGTSTP, self._suspend)
        self._handle(signal.SIGCONT, self._go_on)
        self._handle(signal.SIGWINCH, lambda *_: self.wake())
        try:
            self._set_up()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    @property
    def has_keys(self) -> bool:
        return self._keys is not None

    def size(self) -> os.terminal_size:
        try:
            size = os.get_terminal_size(self._output)
        except OSError:
            return SMALLEST
        return size if size.columns and size.lines else SMALLEST

    def draw(self, lines: Sequence[Line]) -> None:
        """Nothing else is on the screen then. In one go, so that it does not flicker."""
        shown = [
            f"\x1b[{number};1H{line.codes(colour=self._colour)}\x1b[K"
            for number, line in enumerate(lines, 1)
        ]
        below = f"\x1b[{len(lines) + 1};1H\x1b[J" if len(lines) < self.size().lines else ""
        self._write("".join(shown) + below)

    def wake(self) -> None:
        """Have `wait` return; from any thread."""
        try:
            os.write(self._waking, b".")
        except BlockingIOError:
            return  # it is full, and so it will be woken

    def wait(self, seconds: float) -> str:
        """Until it is woken, or a key is pressed; returns what was typed."""
        watched = [self._woken] if self._keys is None else [self._woken, self._keys]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._woken in ready:
            os.read(self._woken, 4096)
        if self._keys is None or self._keys not in ready:
            return ""
        try:
            typed = os.read(self._keys, 1024)
        except OSError:
            typed = b""
        if not typed:
            raise EndedError(signal.SIGHUP)  # the terminal is gone
        return _SEQUENCES.sub("", typed.decode("ascii", "replace"))

    def _handle(self, number: int, handler: Any) -> None:
        self._handlers[number] = signal.signal(number, handler)

    def _end(self, number: int, _: FrameType | None) -> None:
        raise EndedError(number)

    def _suspend(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Z: the shell gets its terminal, and we have it again when we go on."""
        self._clear_up()
        ours = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, ours)

    def _go_on(self, *_: object) -> None:
        """After any stop: of one that nobody can handle, nothing else tells."""
        # If the terminal is gone, that is told to us by itself.
        with contextlib.suppress(EndedError, termios.error):
            self._set_up()
        self.wake()

    def _set_up(self) -> None:
        if self._keys is not None:
            # After a stop that nobody can handle, it may still have the mode that is ours.
            self._mode = self._mode or termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys, termios.TCSANOW)
        self._write(_ENTER)

    def _clear_up(self) -> None:
        """Without waiting for a terminal that takes nothing any more."""
        try:
            self._write(_LEAVE, within=LAST_PATIENCE)
        finally:
            if self._keys is not None and self._mode is not None:
                termios.tcflush(self._keys, termios.TCIFLUSH)
                termios.tcsetattr(self._keys, termios.TCSANOW, self._mode)
                self._mode = None

    def _restore(self) -> None:
        for number in [signal.SIGINT, *self._handlers]:  # nobody may interrupt this
            self._handlers.setdefault(number, signal.signal(number, signal.SIG_IGN))
        # If the terminal is gone, so is what could be restored.
        with contextlib.suppress(EndedError, termios.error):
            self._clear_up()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _write(self, text: str, within: float | None = None) -> None:
        """All of it; or, within some seconds, as much of it as the terminal takes."""
        left = text.encode(self._encoding, "replace")
        until = math.inf if within is None else time.monotonic() + within
        try:
            while left and time.monotonic() < until:
                # A signal that comes just before it does not end this, and is handled after it.
                _, ready, _ = select.select([], [self._output], [], HANDLED_WITHIN)
                if ready:
                    left = left[self._write_some(left) :]
        except OSError:
            raise EndedError(signal.SIGHUP) from None  # the terminal is gone

    def _write_some(self, left: bytes) -> int:
        """Others have the same terminal open: for them, it stays one that is waited for."""
        os.set_blocking(self._output, False)
        try:
            return os.write(self._output, left)
        except BlockingIOError:
            return 0
        finally:
            os.set_blocking(self._output, True)
