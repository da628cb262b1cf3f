"""Who may see the live page. Each rule decides alone."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.exceptions import HTTPException

from pool_observer.page import LivePage, Visitor
from tests.asgi.calling import status
from tests.page.calls import HERE, JSON, ask, body, headers
from tests.page.documents import document


def page(auth: Any = None) -> LivePage:
    return LivePage(document, auth)


def from_here(*more: tuple[bytes, bytes], host: bytes = b"localhost:8000") -> dict[str, Any]:
    return {"client": HERE, "headers": [(b"host", host), *more]}


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"]
)
def test_this_machine_may_see_it(address: str) -> None:
    assert status(ask(page(), client=(address, 1))) == 200


@pytest.mark.parametrize(
    "client",
    [
        None,
        ("", 0),
        ("10.0.0.1", 1),
        ("192.168.0.7", 1),
        ("128.0.0.1", 1),
        ("::2", 1),
        ("::ffff:10.0.0.1", 1),
        ("fe80::1%lo", 1),
        ("localhost", 1),
        ("testclient", 1),
        ("127.0.0.1.evil.example", 1),
    ],
)
def test_nobody_else_may(client: Any) -> None:
    answer = ask(page(), client=client)
    assert status(answer) == 403
    assert headers(answer)["content-type"] == "text/plain; charset=utf-8"
    assert b"observe(..., debug_auth=...)" in body(answer)
    assert body(answer).count(b"\n") == 1


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "X-Forwarded-For",
        "x-forwarded-host",
        "X-Forwarded-Proto",
        "X-Real-IP",
        "Via",
        "X-Client-IP",
    ],
)
def test_whoever_comes_through_a_proxy_may_not(name: str) -> None:
    assert status(ask(page(), **from_here((name.encode(), b"127.0.0.1")))) == 403


def test_a_proxy_that_says_nothing_is_known_by_its_http_version() -> None:
    """As nginx comes: no header of its own, and a host that is ours."""
    assert status(ask(page(), http_version="1.0")) == 403
    assert status(ask(page(), http_version="2")) == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8000",
        "LocalHost:8000",
        "orders.localhost:80",
        "127.0.0.1:8000",
        "127.3.2.1",
        "[::1]",
        "[::1]:8000",
    ],
)
def test_a_local_name_is_fine(host: str) -> None:
    assert status(ask(page(), **from_here(host=host.encode()))) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8000",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.evil.example:8000",
        "evillocalhost",
        "localhost:8000@evil.example",
        "localhost:80:80",
        "127.1",
        "10.0.0.1",
        "0.0.0.0:8000",
        "[::2]:8000",
        "[127.0.0.1]",
        "[::1",
        "\u00e9",
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_not(host: str) -> None:
    assert status(ask(page(), **from_here(host=host.encode("latin-1")))) == 403


def test_two_hosts_are_none() -> None:
    assert status(ask(page(), **from_here((b"host", b"evil.example")))) == 403
    assert status(ask(page(), client=HERE, headers=[])) == 403


def test_the_figures_are_as_closed_as_the_page() -> None:
    assert status(ask(page(), headers=JSON, client=("10.0.0.1", 1))) == 403
    assert status(ask(page(lambda _: False), headers=JSON)) == 403


def test_with_auth_only_that_counts() -> None:
    anywhere: dict[str, Any] = {
        "client": ("203.0.113.9", 1),
        "headers": [(b"host", b"orders.example")],
    }
    assert status(ask(page(lambda _: True), **anywhere)) == 200
    refused = ask(page(lambda _: False))
    assert status(refused) == 403
    assert b"debug_auth" in body(refused)


@pytest.mark.parametrize("answer", [None, 0, "", []])
def test_what_is_not_true_is_a_no(answer: Any) -> None:
    assert status(ask(page(lambda _: answer))) == 403


def test_auth_may_be_async() -> None:
    async def allow(visitor: Visitor) -> bool:
        return visitor.headers.get("x-token") == "secret"

    assert status(ask(page(allow))) == 403  # and not a coroutine, which would be true
    assert status(ask(page(allow), **from_here((b"X-Token", b"secret")))) == 200


def test_auth_is_told_who_asks() -> None:
    seen: list[Visitor] = []

    def remember(visitor: Visitor) -> bool:
        seen.append(visitor)
        return True

    several = [(b"X-A", b"1"), (b"x-a", b"2"), (b"Host", b"localhost")]
    ask(page(remember), headers=several, client=("10.0.0.1", 1), query_string=b"token=1")
    ask(page(remember), client=None)
    assert seen[0].client == "10.0.0.1"
    assert seen[0].headers == {"x-a": "1,2", "host": "localhost"}
    assert seen[0].scope["query_string"] == b"token=1"
    assert seen[1].client is None


def test_an_http_exception_is_the_applications_to_answer() -> None:
    def unknown(_: Visitor) -> bool:
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})

    async def unknown_too(_: Visitor) -> bool:
        raise HTTPException(401)

    for auth in (unknown, unknown_too):
        with pytest.raises(HTTPException):
            ask(page(auth))


def test_an_auth_that_fails_says_no_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Visitor) -> bool:
        raise LookupError("a secret")

    failing = page(fail)
    for _ in range(3):
        answer = ask(failing)
        assert status(answer) == 403
        assert b"secret" not in body(answer)
    assert len(caplog.records) == 1
    assert "debug_auth" in caplog.text


def test_a_status_code_that_is_none_is_a_failure() -> None:
    class FailedError(Exception):
        status_code = "401"

    def fail(_: Visitor) -> bool:
        raise FailedError

    assert status(ask(page(fail))) == 403
