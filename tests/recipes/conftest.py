from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.conftest import Observe
from tests.support import RecordingListener


class Code:
    """The code that takes connections in the recipes, on engines that are observed."""

    def __init__(self, database: Path, observed: Observe) -> None:
        self._listener = RecordingListener()
        self.engine = create_engine(f"sqlite:///{database}")
        # Every test has an event loop of its own, which no pooled connection would outlive.
        self.async_engine = create_async_engine(
            f"sqlite+aiosqlite:///{database}", poolclass=NullPool
        )
        self._observers = [
            observed(self.engine, name="sync"),
            observed(self.async_engine, name="async"),
        ]
        for observer in self._observers:
            observer.subscribe(self._listener)

    def work(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    async def work_async(self) -> None:
        async with self.async_engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @property
    def holders(self) -> list[str]:
        """Who has held a connection: those of `work()`, then those of `work_async()`."""
        for observer in self._observers:
            observer.deliver()
        holds = sorted(self._listener.holds, key=lambda hold: hold.pool, reverse=True)
        return [hold.holder for hold in holds]


@pytest.fixture
def code(tmp_path: Path, observed: Observe) -> Iterator[Code]:
    code = Code(tmp_path / "recipe.db", observed)
    yield code
    code.engine.dispose()
