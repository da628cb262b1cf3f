from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Generator
from types import TracebackType
from typing import Any

import pytest

from pool_observer.running import run_inside


class Inside:
    """A manager that knows whether it has been entered."""

    def __init__(self) -> None:
        self.depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.depth -= 1


@pytest.fixture
def inside() -> Inside:
    return Inside()


def test_a_function_runs_inside(inside: Inside) -> None:
    @functools.partial(run_inside, inside)
    def function(value: int, *, named: int) -> tuple[int, int, int]:
        return value, named, inside.depth

    assert function(1, named=2) == (1, 2, 1)
    assert inside.depth == 0
    assert (
        str(inspect.signature(function))
        == "(value: 'int', *, named: 'int') -> 'tuple[int, int, int]'"
    )


def test_a_function_that_raises_leaves(inside: Inside) -> None:
    with pytest.raises(ZeroDivisionError):
        run_inside(inside, lambda: 1 / 0)()
    assert inside.depth == 0


def test_a_coroutine_runs_inside_to_its_end(inside: Inside) -> None:
    @functools.partial(run_inside, inside)
    async def function(value: int) -> tuple[int, int]:
        await asyncio.sleep(0)
        return value, inside.depth

    assert inspect.iscoroutinefunction(function)
    assert asyncio.run(function(1)) == (1, 1)
    assert inside.depth == 0


def test_what_returns_a_coroutine_runs_inside_as_well(inside: Inside) -> None:
    async def function() -> int:
        await asyncio.sleep(0)
        return inside.depth

    assert asyncio.run(run_inside(inside, lambda: function())()) == 1
    assert asyncio.run(run_inside(inside, functools.partial(function))()) == 1
    assert inside.depth == 0


def talkative(inside: Inside, log: list[Any]) -> Generator[int, str, str]:
    try:
        while True:
            log.append(inside.depth)
            try:
                log.append((yield len(log)))
            except LookupError as error:
                log.append(type(error))
            if log[-1] == "enough":
                return "done"
    finally:
        log.append(("closed", inside.depth))


def test_a_generator_runs_inside_and_its_consumer_outside(inside: Inside) -> None:
    log: list[Any] = []
    function = run_inside(inside, talkative)
    assert inspect.isgeneratorfunction(function)
    steps = function(inside, log)
    assert log == []
    next(steps)
    assert inside.depth == 0
    steps.send("more")
    steps.throw(KeyError())
    assert inside.depth == 0
    with pytest.raises(StopIteration) as stop:
        steps.send("enough")
    assert stop.value.value == "done"
    assert log == [1, "more", 1, KeyError, 1, "enough", ("closed", 1)]
    assert inside.depth == 0


def test_a_generator_that_is_closed_is_closed_inside(inside: Inside) -> None:
    log: list[Any] = []
    steps = run_inside(inside, talkative)(inside, log)
    next(steps)
    steps.close()
    assert log == [1, ("closed", 1)]
    steps = run_inside(inside, talkative)(inside, log)
    next(steps)
    with pytest.raises(ZeroDivisionError):
        steps.throw(ZeroDivisionError())
    assert log[-1] == ("closed", 1)
    assert inside.depth == 0


async def async_talkative(inside: Inside, log: list[Any]) -> AsyncGenerator[int, str]:
    try:
        while True:
            await asyncio.sleep(0)
            log.append(inside.depth)
            try:
                log.append((yield len(log)))
            except LookupError as error:
                log.append(type(error))
            if log[-1] == "enough":
                return
    finally:
        await asyncio.sleep(0)
        log.append(("closed", inside.depth))


def test_an_async_generator_runs_inside_and_its_consumer_outside(inside: Inside) -> None:
    async def consume() -> None:
        steps = function(inside, log)
        await anext(steps)
        assert inside.depth == 0
        await steps.asend("more")
        await steps.athrow(KeyError())
        assert inside.depth == 0
        with pytest.raises(StopAsyncIteration):
            await steps.asend("enough")

    log: list[Any] = []
    function = run_inside(inside, async_talkative)
    assert inspect.isasyncgenfunction(function)
    asyncio.run(consume())
    assert log == [1, "more", 1, KeyError, 1, "enough", ("closed", 1)]
    assert inside.depth == 0


def test_an_async_generator_that_is_closed_is_closed_inside(inside: Inside) -> None:
    async def consume() -> None:
        steps = function(inside, log)
        await anext(steps)
        await steps.aclose()
        steps = function(inside, log)
        await anext(steps)
        with pytest.raises(ZeroDivisionError):
            await steps.athrow(ZeroDivisionError())

    log: list[Any] = []
    function = run_inside(inside, async_talkative)
    asyncio.run(consume())
    assert log == [1, ("closed", 1), 1, ("closed", 1)]
    assert inside.depth == 0


@pytest.mark.parametrize("wrong", [Inside, "a name", None, classmethod(lambda cls: None)])
def test_what_is_no_function_is_refused(inside: Inside, wrong: Any) -> None:
    with pytest.raises(TypeError, match="only functions can be decorated"):
        run_inside(inside, wrong)
