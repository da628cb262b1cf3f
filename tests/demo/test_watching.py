"""What the demo finds out of a service while its users are there."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import httpx
import pytest

from pool_observer.demo.act import _Audience, beside
from pool_observer.demo.service import Address, address
from pool_observer.demo.terminal import Screen
from pool_observer.demo.watching import Watcher
from tests.demo.conftest import Serve

POOL = {
    "used": 20,
    "max": 20,
    "waiting": 5,
    "waits": [{"stage": "queue"}, {"stage": "ping"}, {"stage": "connect"}],
    "waits_omitted": 2,
    "incidents": [],
}


def answering(at: Address, metrics: httpx.Response) -> Watcher:
    """A watcher of a service that nobody uses, with this answer at /metrics."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/metrics":
            return metrics
        return httpx.Response(200, json={"pools": [{"used": 0, "waiting": 0}]})

    return Watcher(at, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def test_a_page_of_errors_is_not_taken_for_metrics() -> None:
    with address() as at:
        watcher = answering(at, httpx.Response(500, text="Traceback, not a metric"))
        with pytest.raises(httpx.HTTPStatusError):
            asyncio.run(watcher.counted())


def test_what_goes_wrong_beside_ends_what_it_is_beside() -> None:
    async def nobody_reads() -> None:
        raise BrokenPipeError

    async def acting() -> None:
        async with asyncio.timeout(30), beside(nobody_reads()):
            await asyncio.Event().wait()

    with pytest.raises(BrokenPipeError):
        asyncio.run(acting())


def test_what_is_beside_ends_with_it() -> None:
    async def acting() -> asyncio.Task[None]:
        begun = asyncio.Event()
        tasks: list[asyncio.Task[None]] = []

        async def working() -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            begun.set()
            await asyncio.Event().wait()

        async with asyncio.timeout(30), beside(working()):
            await begun.wait()
        return tasks[0]

    assert asyncio.run(acting()).cancelled()


def test_only_those_in_the_queue_are_said_to_wait() -> None:
    with address() as at:
        audience = _Audience(answering(at, httpx.Response(200)), Screen(io.StringIO(), {}), 10)
    assert "20 of 20 connections held,  3 wait;" in audience._progress(1, POOL)


def test_the_server_that_the_user_has_set_up_for_others_is_left_alone(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    with serve() as at:
        assert httpx.get(f"{at.url}/items", trust_env=False).status_code == 200


@pytest.mark.parametrize("exists", [True, False])
def test_the_metrics_of_other_processes_are_none_of_its_business(
    exists: bool, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metrics"
    if exists:
        folder.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    with serve() as at:
        answer = httpx.get(f"{at.url}/metrics", trust_env=False)
        assert "pool_observer_checkouts" in answer.raise_for_status().text
    assert not folder.exists() or not list(folder.iterdir())
