"""How a test has a service in another process do things, even one whose event loop is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Gates:
    """Named gates that are open or shut, in a folder that both processes know."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def open(self, name: str) -> Iterator[None]:
        """Open for the time of the block."""
        gate = self._folder / name
        gate.touch()
        try:
            yield
        finally:
            gate.unlink()

    def is_open(self, name: str) -> bool:
        return (self._folder / name).exists()
