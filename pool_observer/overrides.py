"""Replace a method on one object, and put everything back.

An attribute on the instance shadows the method of its class, for this object alone; deleting
it undoes the override. Where another tool has overridden on top of us, removing ours would
take theirs along, so ours stays in the chain and only passes calls through.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class Override:
    """One method of one object, overridden until `undo()`."""

    __slots__ = ("_installed", "_name", "_previous", "_target")

    def __init__(self, target: Any, name: str, replacement: Callable[..., Any]) -> None:
        self._target = weakref.ref(target)
        self._name = name
        self._installed = replacement
        self._previous = target.__dict__.get(name)
        setattr(target, name, replacement)

    def undo(self) -> None:
        target = self._target()
        if target is None or target.__dict__.get(self._name) is not self._installed:
            return
        if self._previous is None:
            delattr(target, self._name)
        else:
            setattr(target, self._name, self._previous)
