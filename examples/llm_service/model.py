"""The language model: a simulated one, which streams its answer and is sometimes too busy."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

from llm_service.models import Message
from llm_service.retrying import ModelBusyError, with_retries

_ANSWER = (
    "I have read {messages} messages. A connection is like a book of the library: take it when you "
    "begin to read, and bring it back before you go to lunch."
)


class Model:
    """Asks the model; to use a real one, replace `_request()`."""

    def __init__(self, seconds: float, refusals: float) -> None:
        self._seconds = seconds
        self._refusals = refusals

    async def answer(self, history: Sequence[Message], question: str) -> list[str]:
        """All tokens of the answer."""
        return [token async for token in await self.begin(history, question)]

    async def begin(self, history: Sequence[Message], question: str) -> AsyncIterator[str]:
        """The tokens as they come. Only the beginning is retried: nothing was said before it."""
        prompt = [message.content for message in reversed(history)] + [question]
        return await with_retries(lambda: self._request(prompt))

    async def _request(self, prompt: list[str]) -> AsyncIterator[str]:
        """Raises ModelBusyError, as a provider answers 429."""
        if random.random() < self._refusals:
            raise ModelBusyError
        return self._tokens(_ANSWER.format(messages=len(prompt)).split())

    async def _tokens(self, words: list[str]) -> AsyncIterator[str]:
        for word in words:
            await asyncio.sleep(self._seconds / len(words))
            yield f"{word} "
