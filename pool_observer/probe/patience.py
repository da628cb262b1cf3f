"""Waits for something that may never come, but not for longer than it has patience."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

THREAD = "pool_observer-probe"


class Waiting:
    """Does blocking work in threads, and gives it up. One at a time."""

    def __init__(self) -> None:
        self._given_up: threading.Thread | None = None

    @property
    def goes_on(self) -> bool:
        """Whether what was given up last has not ended yet."""
        return self._given_up is not None and self._given_up.is_alive()

    def within(
        self, seconds: float, work: Callable[[], T], too_late: Callable[[T | None], object]
    ) -> T:
        """What the work comes to, or TimeoutError.

        Of what is given up, its thread has `too_late` done in the end, with what it came to
        if it did. While it goes on, there is no other.
        """
        if self.goes_on:
            raise TimeoutError
        outcome: Future[T] = Future()

        def do() -> None:
            result: T | None = None
            with suppress(InvalidStateError):
                try:
                    result = work()
                except BaseException as error:
                    outcome.set_exception(error)
                else:
                    outcome.set_result(result)
                return
            with suppress(Exception):  # nobody is left who could be told
                too_late(result)

        # A daemon: what waits for a server must not keep the process from ending.
        thread = threading.Thread(target=do, name=THREAD, daemon=True)
        thread.start()
        try:
            return outcome.result(seconds)
        except TimeoutError:
            if outcome.cancel():
                self._given_up = thread
                raise
            return outcome.result()  # just in time


class PatientLoop(asyncio.SelectorEventLoop):
    """An event loop that leaves nothing behind that a process would have to wait for."""

    def __init__(self) -> None:
        # What epoll knows is the kernel's, and shared with a process that was forked: one of
        # them closing its loop would unregister the sockets of the other.
        super().__init__(getattr(selectors, "PollSelector", selectors.SelectSelector)())

    def run_in_executor(  # type: ignore[override]
        self, _executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Look names up, which is all that this is for, in a thread that nobody waits for."""
        answer: asyncio.Future[Any] = self.create_future()

        def settle(result: object, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        def do() -> None:
            result: object = None
            failure: BaseException | None = None
            try:
                result = func(*args)
            except BaseException as error:
                failure = error
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                self.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=do, name=THREAD, daemon=True).start()
        return answer

    def close(self) -> None:
        """End what still goes on in it as well."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        if not self.is_closed():
            self.run_until_complete(asyncio.sleep(0))  # transports close in the next turn
        super().close()
