"""Writes down what answers have cost, after they were given."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from llm_service.database import Sessions
from llm_service.models import Usage

logger = logging.getLogger("llm_service")


async def log_usage(sessions: Sessions, user_id: int, tokens: int, seconds: float) -> None:
    """In a session of its own: that of the request is closed. No user is told if it fails."""
    try:
        async with sessions.begin() as session:
            session.add(Usage(user_id=user_id, tokens=tokens, seconds=seconds))
    except (SQLAlchemyError, OSError):
        logger.exception("%d tokens of user %d were not written down", tokens, user_id)
