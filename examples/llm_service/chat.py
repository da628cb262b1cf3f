"""The chat as it should be: read, release, call, take another connection, write."""

from __future__ import annotations

import logging
import time

from fastapi import APIRouter, BackgroundTasks

from llm_service.dependencies import Answer, Id, Model, Question, Sessions, UsageLog
from llm_service.models import history_of, turn

logger = logging.getLogger("llm_service")
router = APIRouter()


@router.post("/chat/{user_id}")
async def chat(
    user_id: Id,
    question: Question,
    sessions: Sessions,
    model: Model,
    usage_log: UsageLog,
    after: BackgroundTasks,
) -> Answer:
    """No connection is held while the model answers."""
    began = time.monotonic()
    async with sessions() as session:
        history = (await session.scalars(history_of(user_id))).all()

    tokens = await model.answer(history, question.message)
    answer = "".join(tokens).strip()
    after.add_task(usage_log.write, user_id, len(tokens), time.monotonic() - began)

    try:
        async with sessions.begin() as session:
            session.add_all(turn(user_id, question.message, answer))
    except Exception:  # the answer is paid for: who asked gets it, though it is not remembered
        logger.exception("a turn of user %d was not remembered", user_id)
    return Answer(message=answer)
