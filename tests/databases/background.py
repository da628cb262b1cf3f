"""Something that goes on while the test looks: a thread, or with asyncio a task."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from sqlalchemy.util import await_only, greenlet_spawn

T = TypeVar("T")

PATIENCE_SECONDS = 20
"""When to give up hoping that something happens. No test that passes takes this long."""


class Background(Generic[T]):
    """A piece of work under way."""

    def __init__(self, work: Callable[[], T], *, is_async: bool) -> None:
        self._task: asyncio.Task[T] | None = None
        self._future: Future[T] = Future()
        if is_async:
            self._task = asyncio.get_running_loop().create_task(greenlet_spawn(work))
        else:
            threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work: Callable[[], T]) -> None:
        try:
            self._future.set_result(work())
        except BaseException as error:
            self._future.set_exception(error)

    def result(self) -> T:
        """What the work returned, once it is done; or raises what it raised."""
        if self._task is None:
            return self._future.result(PATIENCE_SECONDS)
        return await_only(asyncio.wait_for(self._task, PATIENCE_SECONDS))

    def failure(self) -> BaseException | None:
        """What the work raised, once it is done; None if it returned."""
        try:
            self.result()
        except BaseException as error:
            return error
        return None

    def cancel(self) -> None:
        assert self._task is not None, "threads cannot be cancelled"
        self._task.cancel()
