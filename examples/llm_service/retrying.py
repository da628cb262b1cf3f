"""Asks again when the model is busy: a little later each time, and not all at the same moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

_Result = TypeVar("_Result")

ATTEMPTS = 4
FIRST_PAUSE = 0.2
"""Seconds, at most, before the second attempt; twice that before the third, and so on."""


class ModelBusyError(Exception):
    """The model's provider has answered 429: too many requests."""


async def with_retries(call: Callable[[], Awaitable[_Result]]) -> _Result:
    """What the call gives, if not at the first attempt. The last refusal is the caller's."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return await call()
        except ModelBusyError:
            # A random part of the pause: those who were refused together come back apart.
            await asyncio.sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))
    return await call()
