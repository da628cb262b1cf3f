"""`holding()`: a name for whoever takes connections outside of a request."""

from __future__ import annotations

from pool_observer.deriving import HolderChange
from pool_observer.holder import DerivedHolder, Holder
from pool_observer.model import OTHER, UNATTRIBUTED, UNMATCHED
from pool_observer.names import checked_name

EXAMPLE = 'holding("nightly-report")'
RESERVED = (UNATTRIBUTED, UNMATCHED, OTHER)


class Holding(HolderChange):
    """What `holding()` returns."""

    def __init__(self, name: str) -> None:
        self._name = checked_name(name, "a holder's name", EXAMPLE)
        if self._name in RESERVED:
            raise ValueError(
                f'"{self._name}" is what we call holders without a name of their own; use '
                f"another, for example {EXAMPLE}"
            )

    def derived_from(self, outer: Holder | None) -> DerivedHolder:
        return DerivedHolder(outer, self, name=self._name)

    def __repr__(self) -> str:
        return f'holding("{self._name}")'


def holding(name: str) -> Holding:
    """Whatever takes a connection inside holds it under this name.

    A context manager, and a decorator for functions, coroutines and generators of both kinds.
    The innermost name counts. It reaches tasks that are created inside and
    `asyncio.to_thread()`, but no threads that are started in another way: name it there.

    >>> with holding("nightly-report"):
    ...     pass  # connections taken here are held by "nightly-report"

    >>> @holding("cleanup")
    ... async def delete_old_orders():
    ...     ...

    Use few names: each is a time series. A name with an order's number in it is a mistake.
    """
    return Holding(name)
