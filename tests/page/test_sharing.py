"""Figures are made once for all who look."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from typing import Any

import pytest

from pool_observer.asgi_types import Message
from pool_observer.page import LivePage
from tests.asgi.calling import call, status
from tests.page.calls import HERE, JSON, ask, body
from tests.page.documents import document


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Making:
    """Counts the documents it makes, each only when it is let."""

    def __init__(self) -> None:
        self.made = 0
        self.threads: list[threading.Thread] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    def __call__(self) -> dict[str, Any]:
        self.made += 1
        number = self.made
        self.threads.append(threading.current_thread())
        self.go_on.wait(30)
        if self.error is not None:
            raise self.error
        return document(at=float(number))


async def figures(page: LivePage) -> list[Message]:
    return await call(page, "/", client=HERE, headers=JSON)


async def turns(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0)


def test_a_document_serves_for_half_a_second() -> None:
    clock, making = Clock(), Making()
    page = LivePage(making, clock=clock)
    ats = []
    for step in (0, 0.25, 0.24, 0.01, 0.49):
        clock.now += step
        ats.append(json.loads(body(ask(page, headers=JSON)))["at"])
    assert ats == [1, 1, 1, 2, 2]


def test_it_is_made_in_a_thread_of_its_own_while_the_event_loop_goes_on() -> None:
    making = Making()
    making.go_on.clear()
    page = LivePage(making)

    async def look() -> list[Message]:
        answer = asyncio.create_task(figures(page))
        for _ in range(10):
            await asyncio.sleep(0)  # were the loop held up, this would never come back
        making.go_on.set()
        return await answer

    assert status(asyncio.run(look())) == 200
    assert making.threads[0] is not threading.main_thread()
    assert making.threads[0].name == "pool_observer-page"


def test_who_comes_meanwhile_waits_for_the_same_document() -> None:
    making = Making()
    making.go_on.clear()
    page = LivePage(making)

    async def look() -> list[list[Message]]:
        viewers = [asyncio.create_task(figures(page)) for _ in range(50)]
        await turns(lambda: making.made == 1)
        for _ in range(10):
            await asyncio.sleep(0)
        making.go_on.set()
        return [await viewer for viewer in viewers]

    answers = asyncio.run(look())
    assert {json.loads(body(answer))["at"] for answer in answers} == {1}
    assert making.made == 1


def test_a_viewer_who_leaves_does_not_take_the_document_along() -> None:
    making = Making()
    making.go_on.clear()
    page = LivePage(making)

    async def look() -> tuple[list[Message], list[Message]]:
        first, second, third = (asyncio.create_task(figures(page)) for _ in range(3))
        await turns(lambda: making.made == 1)
        for leaving in (first, second):  # who has it made, and who waits
            leaving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaving
        fourth = asyncio.create_task(figures(page))
        await asyncio.sleep(0)
        making.go_on.set()
        return await third, await fourth

    for answer in asyncio.run(look()):
        assert json.loads(body(answer))["at"] == 1
    making.threads[0].join()


def test_a_failure_is_all_the_waiting_ones_and_nobody_elses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    making = Making()
    making.go_on.clear()
    making.error = ZeroDivisionError("a secret")
    page = LivePage(making)

    async def look() -> list[int | None]:
        viewers = [asyncio.create_task(figures(page)) for _ in range(5)]
        await turns(lambda: making.made == 1)
        making.go_on.set()
        return [status(await viewer) for viewer in viewers]

    assert asyncio.run(look()) == [500] * 5
    assert making.made == 1
    assert len(caplog.records) == 1
    making.error = None
    assert status(ask(page, headers=JSON)) == 200


def test_two_event_loops_may_share_it() -> None:
    making = Making()
    making.go_on.clear()
    page = LivePage(making)
    answers: list[list[Message]] = []

    def look() -> None:
        answers.append(asyncio.run(figures(page)))

    viewers = [threading.Thread(target=look) for _ in range(4)]
    for viewer in viewers:
        viewer.start()
    making.go_on.set()
    for viewer in viewers:
        viewer.join()
    assert [status(answer) for answer in answers] == [200] * 4


def test_without_a_thread_to_be_had_it_is_made_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    page = LivePage(Making())
    with monkeypatch.context() as without_threads:
        without_threads.setattr(threading.Thread, "start", refuse)
        assert status(ask(page, headers=JSON)) == 200


def test_a_fork_in_the_midst_of_it_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that makes the document is not in the child, nor whoever held the lock."""
    making = Making()
    making.go_on.clear()
    page = LivePage(making)

    async def look() -> list[Message]:
        parents = asyncio.create_task(figures(page))
        await turns(lambda: making.made == 1)
        with monkeypatch.context() as in_the_child, page._figures._lock:
            in_the_child.setattr(os, "getpid", lambda: -1)
            childs = asyncio.create_task(figures(page))
            await turns(lambda: making.made == 2)
            making.go_on.set()
            assert status(await childs) == 200
        return await parents

    assert status(asyncio.run(look())) == 200
