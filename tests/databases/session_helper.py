"""What many applications have: a function of their own that hands out sessions.

The tests observe with `skip_callers` naming this module, and without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


@contextmanager
def connection_of(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


@asynccontextmanager
async def async_connection_of(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection
