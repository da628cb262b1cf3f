"""What `holding()` and `expect_long_hold()` share: for a while, somebody else holds."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from pool_observer.holder import DerivedHolder, Holder, current_holder
from pool_observer.running import run_inside

P = ParamSpec("P")
T = TypeVar("T")


class HolderChange:
    """A context manager and decorator that replaces the current holder by one derived from it.

    It may be used any number of times, also nested and by several tasks or threads at a time.
    """

    def derived_from(self, outer: Holder | None) -> DerivedHolder:
        """The holder for the time being."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        current_holder.set(self.derived_from(current_holder.get()))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not with a token: what was entered in one context may be left in another, as the
        # dependencies of FastAPI are that run in threads; and a token then raises.
        holder = current_holder.get()
        while isinstance(holder, DerivedHolder):
            if holder.made_by is self:
                current_holder.set(holder.outer)
                return
            holder = holder.outer

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        return run_inside(self, function)
