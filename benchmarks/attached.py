"""What every variant of the benchmark is: something that attaches itself to an engine."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine


def nothing() -> None:
    """Nothing is left to do."""


@dataclass(frozen=True)
class Attached:
    """A variant that is at work on an engine."""

    afterwards: Callable[[], object] = nothing
    """Work that it puts off, and does outside the application's calls."""
    afterwards_counts: bool = False
    """Whether the measured time includes that work."""
    check: Callable[[], object] = nothing
    """Raises if what was observed until now shows that it does not do its work."""
    remark: str = ""
    """What a reader should know about how it was attached."""


Attach = Callable[[Engine], Attached]


class Unavailable(Exception):  # noqa: N818  # a state, reported in a footnote
    """The variant cannot be measured here, and this is why."""


def peer_module(name: str) -> Any:
    """A module of a tool that may not be installed, which is no reason to stop."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error.name} is not installed") from error


def bare(engine: Engine) -> Attached:
    """SQLAlchemy alone."""
    return Attached()
