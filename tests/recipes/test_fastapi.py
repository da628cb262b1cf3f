from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from tests.recipes.blocks import run_recipe
from tests.recipes.conftest import Code


async def start_and_stop(app: Any) -> list[str]:
    """What a server says to an application in its life, and the application's answers."""
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    answered: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": next(asked)}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return answered


def test_start_up_and_shut_down_have_names_and_so_has_what_they_start(code: Code) -> None:
    recipe = run_recipe("Start-up and shut-down of FastAPI", work_async=code.work_async)
    answered = asyncio.run(start_and_stop(recipe.app))
    assert answered == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert sorted(code.holders) == ["price-refresh", "shutdown", "startup"]
