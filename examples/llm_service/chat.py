"""The chat as it should be: read, release, call, take another connection, write."""

from __future__ import annotations

import time

from fastapi import APIRouter, BackgroundTasks

from llm_service.dependencies import Answer, Model, Question, Sessions
from llm_service.models import history_of, turn
from llm_service.usage import log_usage

router = APIRouter()


@router.post("/chat/{user_id}")
async def chat(
    user_id: int, question: Question, sessions: Sessions, model: Model, after: BackgroundTasks
) -> Answer:
    """No connection is held while the model answers."""
    began = time.monotonic()
    async with sessions() as session:
        history = (await session.scalars(history_of(user_id))).all()

    tokens = await model.answer(history, question.message)
    answer = "".join(tokens).strip()

    async with sessions.begin() as session:
        session.add_all(turn(user_id, question.message, answer))
    after.add_task(log_usage, sessions, user_id, len(tokens), time.monotonic() - began)
    return Answer(message=answer)
