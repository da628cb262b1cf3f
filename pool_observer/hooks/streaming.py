"""Sees rows being fetched through a server-side cursor, after the statement has returned.

`do_execute` only declares such a cursor; the server works when rows are fetched (fact 14e).
So the strategy that SQLAlchemy fetches with is replaced, for this one result, by the same
strategy with a clock.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine.cursor import _DEFAULT_FETCH, BufferedRowCursorFetchStrategy

from pool_observer.claim import Claim
from pool_observer.ledger import Ledger


def observe_fetching(context: Any, claim: Claim, ledger: Ledger) -> None:
    """Make the result that this execution is about to set up time its fetches. Never raises."""
    try:
        if context.cursor_fetch_strategy is _DEFAULT_FETCH and not context.is_crud:
            context.cursor_fetch_strategy = _ObservedFetching(context, claim, ledger.clock)
    except Exception:
        ledger.failures.note("a streamed result")


class _ObservedFetching(BufferedRowCursorFetchStrategy):
    """SQLAlchemy's own strategy for server-side cursors, timed.

    The original fetches its first row when it is made, which drivers need before they can
    describe the columns. Dialects may still replace the strategy after us, and that row
    would be gone with it; so here it is fetched when the description is asked for.
    """

    __slots__ = ("_claim", "_clock", "_context", "_described")

    def __init__(self, context: Any, claim: Claim, clock: Callable[[], int]) -> None:
        super().__init__(
            context.cursor, context.execution_options, initial_buffer=collections.deque()
        )
        self._claim = claim
        self._clock = clock
        self._context = context
        self._described = False

    @property
    def alternate_cursor_description(self) -> Any:  # type: ignore[override]
        if not self._described:
            self._described = True
            cursor, self._context = self._context.cursor, None
            self._rowbuffer.extend(self._timed(cursor.fetchmany, 1))
        return None

    def _timed(self, fetch: Callable[..., Any], *args: Any) -> Any:
        claim = self._claim
        before = claim.executing_from(self._clock())
        try:
            return fetch(*args)
        finally:
            claim.executed(before, self._clock(), before[0])

    def _buffer_rows(self, result: Any, dbapi_cursor: Any) -> None:
        self._timed(super()._buffer_rows, result, dbapi_cursor)

    def fetchmany(self, result: Any, dbapi_cursor: Any, size: int | None = None) -> Any:
        if size is not None and size <= len(self._rowbuffer):
            return super().fetchmany(result, dbapi_cursor, size)
        return self._timed(super().fetchmany, result, dbapi_cursor, size)

    def fetchall(self, result: Any, dbapi_cursor: Any) -> Any:
        return self._timed(super().fetchall, result, dbapi_cursor)
