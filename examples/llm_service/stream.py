"""The chat as server-sent events: tokens are sent as they come, with no connection in hand."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from llm_service import database, usage
from llm_service.dependencies import Id, Model, Question, Sessions, UsageLog
from llm_service.models import history_of, turn

logger = logging.getLogger("llm_service")
router = APIRouter()

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Or a proxy may keep the tokens until there are enough of them."""


@router.post("/stream/{user_id}")
async def stream(
    user_id: Id, question: Question, sessions: Sessions, model: Model, usage_log: UsageLog
) -> StreamingResponse:
    """Takes the factory of sessions rather than a session: a dependency that yields one may keep
    it open until the last token is sent.
    """
    async with sessions() as session:
        history = (await session.scalars(history_of(user_id))).all()
    # Refusals come here, where they can still have a status of their own.
    tokens = await model.begin(history, question.message)
    events = _events(user_id, question.message, tokens, sessions, usage_log)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(
    user_id: int,
    question: str,
    tokens: AsyncIterator[str],
    sessions: database.Sessions,
    usage_log: usage.UsageLog,
) -> AsyncIterator[str]:
    """If the client goes away, this ends at the next token, and nothing is remembered."""
    began = time.monotonic()
    said: list[str] = []
    try:
        async for token in tokens:
            said.append(token)
            yield _event("token", {"text": token})
    except Exception:
        logger.exception("an answer broke off after %d tokens", len(said))
        yield _event("error", {"message": "the answer broke off; ask again"})
        return
    finally:
        # Whoever goes away has this cancelled, and any await here as well; the tokens are paid for.
        usage_log.note(user_id, len(said), time.monotonic() - began)
    try:
        async with sessions.begin() as session:
            session.add_all(turn(user_id, question, "".join(said).strip()))
    except Exception:  # the answer was given, though it is not remembered
        logger.exception("a turn of user %d was not remembered", user_id)
    yield _event("done", {"tokens": len(said)})


def _event(name: str, data: dict[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
