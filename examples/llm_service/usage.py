"""Writes down what answers have cost, whether or not somebody has heard them to the end."""

from __future__ import annotations

import asyncio
import logging

from llm_service.database import Sessions
from llm_service.models import Usage

logger = logging.getLogger("llm_service")


class UsageLog:
    """Each entry in a session of its own: that of the request is closed."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._writing: set[asyncio.Task[None]] = set()  # the event loop keeps none alive

    async def write(self, user_id: int, tokens: int, seconds: float) -> None:
        """No user is told if it fails; then the log has it."""
        try:
            async with self._sessions.begin() as session:
                session.add(Usage(user_id=user_id, tokens=tokens, seconds=seconds))
        except Exception:
            logger.exception("%d tokens of user %d were not written down", tokens, user_id)

    def note(self, user_id: int, tokens: int, seconds: float) -> None:
        """Have it written meanwhile, for a caller that is being cancelled and can await nothing."""
        task = asyncio.create_task(self.write(user_id, tokens, seconds))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def written(self) -> None:
        """Once all that was noted is."""
        await asyncio.gather(*self._writing)
