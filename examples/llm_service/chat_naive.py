"""The chat as people write it: the session is open, and so a connection held, while the model
answers. Do not copy this one; `chat.py` is the same without the fault.
"""

from __future__ import annotations

import time

from fastapi import APIRouter

from llm_service.dependencies import Answer, Id, Model, Question, Session
from llm_service.models import Usage, history_of, turn

router = APIRouter()


@router.post("/naive/chat/{user_id}")
async def chat(user_id: Id, question: Question, session: Session, model: Model) -> Answer:
    """Three seconds of a connection for a few milliseconds of SQL."""
    began = time.monotonic()
    history = (await session.scalars(history_of(user_id))).all()  # takes a connection
    tokens = await model.answer(history, question.message)  # and keeps it, in a transaction
    answer = "".join(tokens).strip()
    session.add_all(turn(user_id, question.message, answer))
    session.add(Usage(user_id=user_id, tokens=len(tokens), seconds=time.monotonic() - began))
    await session.commit()  # gives it back
    return Answer(message=answer)
