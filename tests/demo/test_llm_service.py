"""The example service, as its users and its pool see it."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pool_observer.demo.service import Address, example_folder
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


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/items/99999999999", None),
        ("GET", "/items/0", None),
        ("PUT", "/items/99999999999", {"name": "book"}),
        ("DELETE", "/items/99999999999", None),
        ("GET", "/items?after=99999999999999", None),
        ("GET", "/items?after=-1", None),
        ("POST", "/chat/99999999999", QUESTION),
        ("POST", "/naive/chat/99999999999", QUESTION),
        ("POST", "/stream/99999999999", QUESTION),
        ("POST", "/chat/7", {"message": "what \0 is"}),
        ("POST", "/stream/7", {"message": "half \ud83d of a character"}),
        ("POST", "/items", {"name": "what \0 is"}),
        ("POST", "/items", {"name": "half \ud83d of a character"}),
    ],
)
def test_what_the_database_would_not_take_is_a_422(
    method: str, path: str, body: dict[str, str] | None, quick: Address
) -> None:
    with client(quick) as asking:
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        answer = asking.request(method, path, content=content, headers=headers)
    assert answer.status_code == 422
    assert all(set(each) == {"type", "loc", "msg"} for each in answer.json()["detail"])


def test_what_users_have_said_is_not_in_the_log_of_an_error(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(example_folder()))
    made, settings = (
        importlib.import_module(f"llm_service.{name}") for name in ("database", "settings")
    )
    url = postgres.url("asyncpg").render_as_string(hide_password=False)

    async def failing() -> str:
        engine = made.make_engine(settings.Settings(database_url=url))
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT CAST(:said AS text) / 1"), {"said": "secret"})
        except SQLAlchemyError as error:
            return str(error)
        finally:
            await engine.dispose()
        raise AssertionError("nothing has failed")

    assert "secret" not in asyncio.run(failing())


@pytest.fixture
def forgetful(quick: Address, postgres: Postgres) -> Iterator[int]:
    """A user whose turns cannot be written."""
    with psycopg.connect(conninfo(postgres), autocommit=True) as connection:
        connection.execute("ALTER TABLE messages ADD CONSTRAINT forgetful CHECK (user_id <> 105)")
        yield 105
        connection.execute("ALTER TABLE messages DROP CONSTRAINT forgetful")


def test_an_answer_that_cannot_be_remembered_is_given_and_written_down_all_the_same(
    forgetful: int, quick: Address, postgres: Postgres
) -> None:
    with client(quick) as asking:
        answer = asking.post(f"/chat/{forgetful}", json=QUESTION)
        assert answer.json()["message"].startswith("I have read 1 messages.")
        streamed = asking.post(f"/stream/{forgetful}", json=QUESTION).text
    assert "event: done" in streamed
    assert "event: error" not in streamed
    wait_until(lambda: len(usages(postgres, forgetful)) == 2)


def test_tokens_are_written_down_though_the_client_went_away(
    serve: Serve, postgres: Postgres
) -> None:
    with serve(model_seconds=100) as at, client(at) as asking:
        with asking.stream("POST", "/stream/106", json=QUESTION) as answer:
            next(answer.iter_lines())
        wait_until(lambda: usages(postgres, 106))
    assert 0 < usages(postgres, 106)[0] < 10


ENDING = """
import asyncio
from llm_service.main import create_app
from llm_service.settings import Settings

async def serve() -> None:
    app = create_app(Settings.from_environment())
    async with app.router.lifespan_context(app):
        app.state.usage_log.note(107, 5, 1.0)

asyncio.run(serve())
"""


def test_what_is_noted_while_the_service_ends_is_written_down(postgres: Postgres) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": postgres.url("asyncpg").render_as_string(hide_password=False),
        "PYTHONPATH": os.pathsep.join((str(example_folder()), str(Path(__file__).parents[2]))),
    }
    subprocess.run([sys.executable, "-c", ENDING], env=environment, check=True)
    assert usages(postgres, 107) == [5]


def usages(postgres: Postgres, user: int) -> list[int]:
    with psycopg.connect(conninfo(postgres), autocommit=True) as connection:
        found = connection.execute("SELECT tokens FROM usage WHERE user_id = %s", [user])
        return [tokens for (tokens,) in found]


def test_usage_is_written_down_after_the_answer(quick: Address, postgres: Postgres) -> None:
    with client(quick) as asking:
        assert asking.post("/chat/104", json=QUESTION).status_code == 200
    wait_until(lambda: usages(postgres, 104))


def conninfo(postgres: Postgres) -> str:
    return postgres.url("psycopg").set(drivername="postgresql").render_as_string(False)
