"""The garbage collector is kept from running while frames of other threads are looked at."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from pool_observer import stacks
from pool_observer.undisturbed import Undisturbed


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_inside_nothing_is_collected() -> None:
    with Undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_last_to_leave_has_it_collect_again() -> None:
    undisturbed = Undisturbed()
    with undisturbed:
        with undisturbed:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_leaves_it_collecting() -> None:
    with pytest.raises(ZeroDivisionError), Undisturbed():
        _ = 1 / 0
    assert gc.isenabled()


def test_where_it_does_not_collect_it_does_not_afterwards() -> None:
    gc.disable()
    with Undisturbed():
        pass
    assert not gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_collects_whoever_looked_at_frames_in_its_parent() -> None:
    undisturbed = Undisturbed()
    undisturbed.__enter__()
    try:
        undisturbed._forked()  # as the child does first
        assert gc.isenabled()
        with undisturbed:
            assert not gc.isenabled()
        assert gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from 3.12 on it does no harm")
def test_whatever_reads_frames_is_undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    frames, suspended = sys._current_frames, stacks._suspended

    def current_frames() -> Any:
        seen.append(gc.isenabled())
        return frames()

    def reading(awaited: Any) -> Any:
        seen.append(gc.isenabled())
        return suspended(awaited)

    monkeypatch.setattr(sys, "_current_frames", current_frames)
    monkeypatch.setattr(stacks, "_suspended", reading)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        stacks.stacks_of_threads()
        stacks.stack_of_running(task)
        waiting = asyncio.create_task(asyncio.sleep(30))
        await asyncio.sleep(0)
        stacks.stack_of_task(waiting, [])
        waiting.cancel()

    asyncio.run(main())
    assert len(seen) >= 3
    assert not any(seen)
    assert gc.isenabled()
