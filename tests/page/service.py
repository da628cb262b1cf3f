"""A service with a live page, whose figures are what the test says."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pool_observer.page import LivePage, Visitor
from tests.asgi.serving import serving
from tests.page.documents import document


class Service(LivePage):
    """Answers with the document it has, when it is let to, and to whom it is told to."""

    def __init__(self, *pools: dict[str, Any], **process: Any) -> None:
        steps = itertools.count()  # so that each answer is made when it is asked for
        super().__init__(self._current, self._allows, clock=lambda: float(next(steps)))
        self.pools = pools
        self.process = process
        self.asked = 0
        self.allowed = True
        self.error: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()
        self.address = ""

    def show(self, *pools: dict[str, Any]) -> None:
        self.pools = pools

    def _current(self) -> dict[str, Any]:
        self.asked += 1
        self.go_on.wait(30)
        if self.error is not None:
            raise self.error
        return document(*self.pools, **self.process)

    def _allows(self, visitor: Visitor) -> bool:
        return self.allowed


@contextmanager
def service(*pools: dict[str, Any], **process: Any) -> Iterator[Service]:
    it = Service(*pools, **process)
    with serving(it) as address:
        it.address = f"{address}/debug/pools"
        try:
            yield it
        finally:
            it.go_on.set()
