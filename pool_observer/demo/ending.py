"""How a signal ends a command: once, and so that it cleans up undisturbed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class Ending:
    """What the first signal does. Those after it do nothing: it is ending."""

    def __init__(self) -> None:
        self.signalled: BaseException | None = None
        self._cancel: Callable[[], object] | None = None

    def __call__(self, number: int, _: FrameType | None) -> None:
        if self.signalled is not None:
            return
        if number == signal.SIGINT:
            self.signalled = KeyboardInterrupt()
        else:
            self.signalled = SystemExit(128 + number)
        if self._cancel is None:
            raise self.signalled
        # An exception in whatever task is running now would be logged as one that nobody awaits.
        self._cancel()

    def run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """`asyncio.run()` for work that a signal is to cancel."""
        self._cancel = _nothing_yet
        try:
            result = asyncio.run(self._cancellable(work))
        except asyncio.CancelledError:
            if self.signalled is None:
                raise
        finally:
            self._cancel = None
        if self.signalled is not None:
            raise self.signalled
        return result

    async def _cancellable(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def cancel() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)

        self._cancel = cancel
        if self.signalled is not None:
            cancel()
        return await work


def _nothing_yet() -> None:
    """There is no task to be cancelled: it looks for a signal when it begins."""


@contextmanager
def ended_by(*signals: signal.Signals) -> Iterator[Ending]:
    """These signals end what is inside, as KeyboardInterrupt or SystemExit."""
    ending = Ending()
    before = {each: signal.signal(each, ending) for each in signals}
    try:
        yield ending
    finally:
        if ending.signalled is None:  # or one that comes late would disturb the interpreter's end
            for each, handler in before.items():
                signal.signal(each, handler)
