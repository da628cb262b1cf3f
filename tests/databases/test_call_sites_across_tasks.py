"""The call site where what asks runs in a task of its own, without its caller's frames."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from pool_observer.hooks import awaiting
from pool_observer.model import Hold
from tests.databases.call_sites import next_line
from tests.databases.case import Case
from tests.databases.drivers import ASYNC
from tests.databases.on import on
from tests.databases.tables import Author, Base

SELECT = text("SELECT 1")

Asking = Callable[[AsyncEngine, list[int]], Awaitable[object]]


async def gathered(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as first, AsyncSession(engine) as second:
        lines += [next_line()] * 2
        await asyncio.gather(first.execute(SELECT), second.execute(SELECT))


async def shielded(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        lines.append(next_line())
        await asyncio.shield(session.execute(SELECT))


async def with_a_limit(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        lines.append(next_line())
        await asyncio.wait_for(session.execute(SELECT), 60)


async def waited_for(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        running = asyncio.create_task(session.execute(SELECT))
        lines.append(next_line())
        await asyncio.wait([running])


async def in_tasks_of_tasks(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        lines.append(next_line())
        await asyncio.shield(asyncio.gather(asyncio.wait_for(session.execute(SELECT), 60)))


async def in_a_group(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        lines.append(next_line())
        async with asyncio.TaskGroup() as group:
            group.create_task(session.execute(SELECT))


async def in_a_group_of_anyio(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        lines.append(next_line())
        async with anyio.create_task_group() as group:
            group.start_soon(session.execute, SELECT)


class Odd:
    """A callback that is no function, and whose attributes are none of ours to read."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was asked for")

    def __call__(self, _: object) -> None:
        """It is done."""


async def with_odd_callbacks(engine: AsyncEngine, lines: list[int]) -> None:
    async with AsyncSession(engine) as session:
        task = asyncio.create_task(session.execute(SELECT))
        task.add_done_callback(Odd())
        lines.append(next_line())
        await task


WAYS: tuple[Asking, ...] = (
    gathered,
    shielded,
    with_a_limit,
    waited_for,
    in_tasks_of_tasks,
    in_a_group,
    in_a_group_of_anyio,
    with_odd_callbacks,
)


@on(*ASYNC)
async def test_it_is_the_line_that_awaits_the_task(case: Case) -> None:
    for asking in WAYS:
        before = len(case.holds)
        lines: list[int] = []
        await asking(case.async_engine, lines)
        assert_asked_from(case.holds[before:], asking.__name__, lines)


@on(*ASYNC)
async def test_a_session_that_first_asks_when_its_block_ends(case: Case) -> None:
    async with case.async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    lines = [next_line()]
    async with async_sessionmaker(case.async_engine).begin() as session:
        session.add(Author(name="Ursula"))
    assert_asked_from(case.holds[1:], "test_a_session_that_first_asks_when_its_block_ends", lines)
    async with case.async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)


def assert_asked_from(holds: list[Hold], function: str, lines: list[int]) -> None:
    """They were asked for from these lines of this module."""
    sites = [hold.call_site for hold in holds if hold.call_site is not None]
    assert {Path(site.file).name for site in sites} == {Path(__file__).name}
    found = [(site.line, site.function) for site in sites]
    assert found == [(line, function) for line in lines]


@on(*ASYNC)
async def test_a_hold_whose_awaiting_task_cannot_be_found_is_observed_all_the_same(
    case: Case,
) -> None:
    def broken(task: object) -> None:
        raise RuntimeError("a bug of ours")

    case.failing = {"finding who awaits a task"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(awaiting, "_awaiting", broken)
        await gathered(case.async_engine, [])
    assert len(case.holds) == 2
