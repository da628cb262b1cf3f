from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pool_observer import holding
from tests.recipes.blocks import run_recipe
from tests.recipes.conftest import Code
from tests.support import wait_until


@pytest.fixture
def recipe(code: Code, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    recipe = run_recipe("APScheduler", work=code.work, work_async=code.work_async)
    monkeypatch.setitem(sys.modules, recipe.__name__, recipe)  # stored jobs are found by import
    return recipe


def make_due(scheduler: Any, job: str) -> None:
    scheduler.modify_job(job, next_run_time=datetime.now(UTC))


async def until(code: Code, holders: list[str]) -> None:
    """Let the event loop go on until those have held a connection."""
    async with asyncio.timeout(30):
        while code.holders != holders:
            await asyncio.sleep(0.001)


def test_a_job_in_the_background_holds_under_its_name(code: Code, recipe: ModuleType) -> None:
    recipe.scheduler.start()
    try:
        make_due(recipe.scheduler, "cleanup")
        wait_until(lambda: code.holders == ["job:cleanup"])
    finally:
        recipe.scheduler.shutdown()


def test_a_job_on_the_event_loop_holds_under_its_name(code: Code, recipe: ModuleType) -> None:
    async def run() -> None:
        scheduler = recipe.start()
        make_due(scheduler, "refresh")
        await until(code, ["job:refresh"])
        scheduler.add_job(recipe.cleanup)  # a plain function, in the loop's thread pool
        await until(code, ["job:cleanup", "job:refresh"])
        await shut_down(scheduler)

    asyncio.run(run())


async def shut_down(scheduler: AsyncIOScheduler) -> None:
    scheduler.shutdown()
    async with asyncio.timeout(30):
        while scheduler.running:
            await asyncio.sleep(0)


@pytest.mark.parametrize("where", ["definition", "add_job"])
def test_a_stored_job_keeps_the_name_of_its_definition_only(
    code: Code, recipe: ModuleType, tmp_path: Path, where: str
) -> None:
    """Which is why the page says to decorate the function where it is defined."""
    stored = holding("job:stored")(recipe.refresh) if where == "add_job" else recipe.cleanup

    async def run() -> None:
        store = SQLAlchemyJobStore(url=f"sqlite:///{tmp_path / 'jobs.db'}")
        scheduler = AsyncIOScheduler(timezone="UTC", jobstores={"default": store})
        scheduler.start()
        scheduler.add_job(stored)
        await until(code, ["unattributed" if where == "add_job" else "job:cleanup"])
        await shut_down(scheduler)

    asyncio.run(run())


def test_a_job_without_a_name_holds_under_that_of_who_woke_the_scheduler(
    code: Code, recipe: ModuleType
) -> None:
    """Which is why the page says to name every job."""

    async def run() -> None:
        scheduler = recipe.start()
        await asyncio.sleep(0)  # it has been woken by its start, too
        with holding("whoever-wakes"):
            scheduler.add_job(recipe.refresh)
        await until(code, ["whoever-wakes"])
        await shut_down(scheduler)

    asyncio.run(run())
