"""`LivePage` as an ASGI application."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pool_observer.asgi_types import Message
from pool_observer.page import LivePage
from pool_observer.page.html import html
from tests.asgi.calling import call, scope_for, status
from tests.page.calls import JSON, ask, body, headers
from tests.page.documents import document, hold, pool
from tests.page.scenes import exhausted


def test_the_figures_are_the_document() -> None:
    answer = ask(LivePage(lambda: document(exhausted())), headers=JSON)
    assert status(answer) == 200
    assert json.loads(body(answer)) == json.loads(json.dumps(document(exhausted())))


def test_what_json_cannot_say_is_null() -> None:
    broken = pool(holds=[hold(seconds=float("inf"))], utilization=float("nan"))
    figures = json.loads(body(ask(LivePage(lambda: document(broken)), headers=JSON)))
    assert figures["pools"][0]["utilization"] is None
    assert figures["pools"][0]["holds"][0]["seconds"] is None
    assert figures["pools"][0]["max"] == 15


def test_each_answer_is_over_a_connection_of_its_own() -> None:
    """So that the next one may meet another worker process."""
    assert headers(ask(LivePage(document), headers=JSON))["connection"] == "close"
    # There is no such header from HTTP/2 on; the page itself is asked for once.
    assert "connection" not in headers(ask(LivePage(document), headers=JSON, http_version="2"))
    assert "connection" not in headers(ask(LivePage(document)))


def test_no_file_is_read_for_a_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first visit may be in an outage, and there may be no more files to be opened."""
    page = LivePage(document)

    def fail(*args: Any) -> None:
        raise OSError(24, "Too many open files")

    html.cache_clear()
    monkeypatch.setattr(Path, "read_text", fail)
    assert status(ask(page)) == 200


def test_half_a_surrogate_pair_is_answered() -> None:
    answer = ask(LivePage(lambda: document(pool("\ud800"))), headers=JSON)
    assert json.loads(body(answer))["pools"][0]["name"] == "\ud800"


def test_the_page_is_made_without_the_figures() -> None:
    def fail() -> dict[str, Any]:
        raise AssertionError

    answer = ask(LivePage(fail))
    assert status(answer) == 200
    assert body(answer).startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"headers": JSON},
        {"client": None},
        {"method": "POST"},
    ],
)
def test_every_answer_is_kept_to_itself(asked: dict[str, Any]) -> None:
    said = headers(ask(LivePage(document), **asked))
    assert said["cache-control"] == "no-store"
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"
    assert said["x-frame-options"] == "DENY"
    assert said["vary"] == "accept"


def test_nothing_but_what_is_in_the_page_runs() -> None:
    answer = ask(LivePage(document))
    policy = dict(
        directive.split(" ", 1)
        for directive in headers(answer)["content-security-policy"].split("; ")
    )
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("connect-src") == "'self'"
    assert policy.pop("img-src") == "data:"
    assert policy.pop("require-trusted-types-for") == "'script'"
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert policy.pop(name) == "'none'"
    for name in ("script", "style"):
        blocks = re.findall(f"<{name}[^>]*>(.*?)</{name}>", body(answer).decode(), re.DOTALL)
        assert len(blocks) == 1
        digest = base64.b64encode(hashlib.sha256(blocks[0].encode()).digest()).decode()
        assert policy.pop(f"{name}-src") == f"'sha256-{digest}'"
    assert policy == {}


def test_the_page_is_one_file_that_asks_for_nothing_else() -> None:
    page = body(ask(LivePage(document))).decode()
    markup = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\s(style|on\w+)=", markup)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', markup)) == {"data:,"}
    assert "innerHTML" not in page
    assert set(re.findall(r"https?://[^\"'\s]+", page)) == {"http://www.w3.org/2000/svg"}


def test_without_javascript_it_says_where_the_figures_are() -> None:
    page = body(ask(LivePage(document))).decode()
    sentence = re.search("<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert sentence is not None
    assert "Accept: application/json" in sentence[1]
    assert re.search('<button id="pause"[^>]* hidden>', page)  # it would do nothing


@pytest.mark.parametrize("asked", [[(b"host", b"localhost")], JSON])
def test_head_is_the_same_without_a_body(asked: list[tuple[bytes, bytes]]) -> None:
    page = LivePage(document)
    get, head = ask(page, headers=asked), ask(page, "HEAD", headers=asked)
    assert headers(head) == headers(get)
    assert int(headers(head)["content-length"]) == len(body(get))
    assert body(head) == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(method: str) -> None:
    answer = ask(LivePage(document), method)
    assert status(answer) == 405
    assert headers(answer)["allow"] == "GET, HEAD"


def test_a_document_that_cannot_be_made_is_told_to_the_log_and_not_to_the_viewer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> dict[str, Any]:
        raise ZeroDivisionError("a secret")

    page = LivePage(fail)
    for _ in range(3):
        answer = ask(page, headers=JSON)
        assert status(answer) == 500
        assert body(answer) == b"Making the figures failed with ZeroDivisionError; see the log.\n"
    assert len(caplog.records) == 1
    assert "making the live page" in caplog.text


def test_a_document_that_is_no_json_is_a_failure_too(caplog: pytest.LogCaptureFixture) -> None:
    assert status(ask(LivePage(lambda: {"at": object()}), headers=JSON)) == 500
    assert len(caplog.records) == 1


def test_it_lives_and_ends_with_the_server() -> None:
    coming: list[Message] = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]
    sent: list[str] = []

    async def receive() -> Message:
        return coming.pop()

    async def send(message: Message) -> None:
        sent.append(message["type"])

    asyncio.run(LivePage(document)({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_refused() -> None:
    answer = asyncio.run(call(LivePage(document), "/", type="websocket"))
    assert [message["type"] for message in answer] == ["websocket.close"]


def test_a_scope_needs_no_headers() -> None:
    scope = scope_for("/")
    del scope["headers"], scope["client"]
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(LivePage(document, lambda _: True)(scope, receive, send))
    assert status(sent) == 200


def test_no_asyncio_is_needed() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    page = LivePage(document, lambda _: True)
    coroutine = page(scope_for("/", headers=JSON), None, send)  # type: ignore[arg-type]
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert status(sent) == 200
