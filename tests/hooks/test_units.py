"""What a connection is asked for by."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from pool_observer.hooks.greenlets import current_owner
from pool_observer.hooks.units import runner_of


def test_a_task_asks() -> None:
    async def main() -> None:
        assert runner_of(current_owner())() is asyncio.current_task()

    asyncio.run(main())


def test_a_thread_asks() -> None:
    assert runner_of(current_owner())() is threading.current_thread()


def test_outside_of_tasks_the_thread_of_a_loop_asks() -> None:
    async def main() -> None:
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: asked.set_result(runner_of(current_owner())()))
        assert await asked is threading.current_thread()

    asyncio.run(main())


def test_a_greenlet_asks() -> None:
    greenlet = pytest.importorskip("greenlet")
    asking = greenlet.greenlet(lambda: runner_of(current_owner())())
    assert asking.switch() is asking
