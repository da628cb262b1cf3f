"""The example service, as its users and its pool see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from pool_observer.demo.service import Address
from tests.demo.conftest import Serve
from tests.postgres import Postgres
from tests.support import wait_until

QUESTION = {"message": "Who is holding our connections?"}
CHAT, NAIVE, STREAM = (f"POST {path}/{{user_id}}" for path in ("/chat", "/naive/chat", "/stream"))


@pytest.fixture(scope="module")
def quick(serve: Serve) -> Iterator[Address]:
    """A service whose model has its answers ready."""
    with serve(model_seconds=0) as at:
        yield at


def client(at: Address) -> httpx.Client:
    return httpx.Client(base_url=at.url, timeout=60, trust_env=False)


async def pool(asking: httpx.AsyncClient) -> dict[str, Any]:
    page = await asking.get("/debug/pools", headers={"Accept": "application/json"})
    found: dict[str, Any] = page.json()["pools"][0]
    return found


@asynccontextmanager
async def unanswered(asking: httpx.AsyncClient, *paths: str) -> AsyncIterator[None]:
    """Somebody has asked there, and waits for the model."""
    requests = [asyncio.create_task(asking.post(path, json=QUESTION)) for path in paths]
    try:
        yield
    finally:
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)


async def until_handed_out(asking: httpx.AsyncClient, wanted: dict[str, int]) -> dict[str, Any]:
    """The pool, once it has given as many connections to these, and has back what they released."""
    deadline = asyncio.get_running_loop().time() + 30
    while asyncio.get_running_loop().time() < deadline:
        found = await pool(asking)
        given = {row["holder"]: row["checkouts"] for row in found["holders"]["rows"]}
        if wanted.items() <= given.items() and all(
            hold["seconds"] > 0.2 for hold in found["holds"]
        ):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"it never came true: {given}")


def test_only_the_naive_chat_holds_a_connection_while_the_model_answers(serve: Serve) -> None:
    async def look(at: Address) -> list[str]:
        async with (
            httpx.AsyncClient(base_url=at.url, timeout=60, trust_env=False) as asking,
            unanswered(asking, "/chat/7", "/naive/chat/7", "/stream/7"),
        ):
            found = await until_handed_out(asking, {CHAT: 1, NAIVE: 1, STREAM: 1})
            return [hold["holder"] for hold in found["holds"]]

    with serve(model_seconds=600) as at:
        assert asyncio.run(look(at)) == [NAIVE]


def test_a_full_pool_is_a_503_that_says_when_to_come_again(serve: Serve) -> None:
    async def look(at: Address) -> httpx.Response:
        async with (
            httpx.AsyncClient(base_url=at.url, timeout=60, trust_env=False) as asking,
            unanswered(asking, "/naive/chat/7"),
        ):
            await until_handed_out(asking, {NAIVE: 1})
            assert (await asking.get("/health")).status_code == 200
            return await asking.get("/items")

    with serve(model_seconds=600, pool_size=1, max_overflow=0, pool_timeout=0.1) as at:
        answer = asyncio.run(look(at))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_a_busy_model_is_asked_again_and_then_is_a_429(serve: Serve) -> None:
    with serve(model_refusals=1) as at, client(at) as asking:
        for path in ("/chat/7", "/naive/chat/7", "/stream/7"):
            answer = asking.post(path, json=QUESTION)
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/chat", "/naive/chat"])
def test_a_chat_remembers_what_was_said(path: str, quick: Address) -> None:
    user = 101 if path == "/chat" else 102
    with client(quick) as asking:
        first, second = (asking.post(f"{path}/{user}", json=QUESTION) for _ in range(2))
    assert first.json()["message"].startswith("I have read 1 messages.")
    assert second.json()["message"].startswith("I have read 3 messages.")


def test_a_stream_sends_tokens_and_remembers_them(quick: Address) -> None:
    with client(quick) as asking:
        with asking.stream("POST", "/stream/103", json=QUESTION) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = [event.split("\n") for event in answer.read().decode().split("\n\n") if event]
        again = asking.post("/chat/103", json=QUESTION)
    names = [name.removeprefix("event: ") for name, _ in events]
    data = [json.loads(line.removeprefix("data: ")) for _, line in events]
    assert names == ["token"] * (len(names) - 1) + ["done"]
    assert "".join(each["text"] for each in data[:-1]).startswith("I have read 1 messages.")
    assert data[-1] == {"tokens": len(names) - 1}
    assert again.json()["message"].startswith("I have read 3 messages.")


def test_items_are_created_read_updated_and_deleted(quick: Address) -> None:
    with client(quick) as asking:
        created = asking.post("/items", json={"name": "book"})
        assert created.status_code == 201
        path = f"/items/{created.json()['id']}"
        assert asking.put(path, json={"name": "novel"}).json()["name"] == "novel"
        assert asking.get(path).json() == {"id": created.json()["id"], "name": "novel"}
        page = asking.get("/items", params={"after": created.json()["id"] - 1, "limit": 1})
        assert [item["name"] for item in page.json()] == ["novel"]
        assert asking.delete(path).status_code == 204
        assert asking.get(path).status_code == 404
        assert asking.post("/items", json={"name": ""}).status_code == 422


def test_usage_is_written_down_after_the_answer(quick: Address, postgres: Postgres) -> None:
    with client(quick) as asking:
        assert asking.post("/chat/104", json=QUESTION).status_code == 200
    with psycopg.connect(conninfo(postgres), autocommit=True) as connection:
        usage = "SELECT tokens FROM usage WHERE user_id = 104"
        wait_until(lambda: connection.execute(usage).fetchall())


def conninfo(postgres: Postgres) -> str:
    return postgres.url("psycopg").set(drivername="postgresql").render_as_string(False)
