"""What calls a model, as applications do: a module of its own, far from the session."""

from __future__ import annotations

import os

import httpx

ADDRESS = "LLM_ADDRESS"
"""The environment variable that says where the model is."""


async def ask(question: str) -> str:
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        answer = await client.get(address_of(question))  # asks the model
    return answer.text


def address_of(question: str) -> str:
    return f"{os.environ[ADDRESS]}/{question}"
