"""Who is first: what concerns several engines is to be said of the one that was observed first."""

from __future__ import annotations

import contextlib
import weakref


class Turns:
    """Those that wait, in the order in which they came. Nobody is kept alive by waiting."""

    def __init__(self) -> None:
        self._waiting: list[weakref.ref[object]] = []

    def join(self, one: object) -> None:
        """Be the last."""
        self._waiting.append(weakref.ref(one, self._waiting.remove))

    def is_first(self, one: object) -> bool:
        """Whether nobody has to go before."""
        return next((waiting() for waiting in tuple(self._waiting)), one) is one

    def leave(self, one: object) -> None:
        """Wait no more."""
        with contextlib.suppress(ValueError):  # it has left already
            self._waiting.remove(weakref.ref(one))
