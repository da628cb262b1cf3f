"""Looks at a running service from outside: its live page, its metrics, and its database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from sqlalchemy.engine import URL

from pool_observer.demo.counted import Counted, counted
from pool_observer.demo.database import connected
from pool_observer.demo.service import Address

OFTEN = 0.1
"""Seconds between two looks at the database's sessions."""

_IN_USE = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = 'llm_service' AND state <> 'idle'
"""


class Watcher:
    """What the demo knows of the service besides what its users see."""

    def __init__(self, at: Address, client: httpx.AsyncClient) -> None:
        self._at = at
        self._client = client

    async def pool(self) -> dict[str, Any] | None:
        """The pool as the live page has it; None if there is no answer for now."""
        with suppress(httpx.HTTPError, ValueError):
            answer = await self._client.get(self._at.page, headers={"Accept": "application/json"})
            (pool,) = answer.json()["pools"]
            found: dict[str, Any] = pool
            return found
        return None

    async def counted(self) -> Counted:
        """What /metrics have by now, once nobody holds a connection."""
        quiet = 0
        for _ in range(100):
            pool = await self.pool()
            is_quiet = pool is not None and not pool["used"] and not pool["waiting"]
            quiet = quiet + 1 if is_quiet else 0
            if quiet == 2:  # what is done after a response may take a moment to begin
                break
            await asyncio.sleep(OFTEN)
        answer = await self._client.get(f"{self._at.url}/metrics")
        return counted(answer.raise_for_status().text)


@asynccontextmanager
async def watcher(at: Address) -> AsyncIterator[Watcher]:
    """A watcher with a connection of its own, which no load is in the way of."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        yield Watcher(at, client)


class Sessions:
    """The service's sessions at the database, by what the database says."""

    most = 0
    """The most that were in use at a time: working, or in a transaction."""

    async def watch(self, database: URL) -> None:
        """Until it is cancelled."""
        connection = await connected(database)
        try:
            while True:
                self.most = max(self.most, await connection.fetchval(_IN_USE))
                await asyncio.sleep(OFTEN)
        finally:
            connection.terminate()
