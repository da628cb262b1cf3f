"""Who may see the live page where `debug_auth` says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from pool_observer.page import LivePage, Visitor
from tests.asgi.calling import status
from tests.page.calls import HERE, ask, body
from tests.page.documents import document


def page(auth: Any = None) -> LivePage:
    return LivePage(document, auth)


def from_here(*more: tuple[bytes, bytes], host: bytes = b"localhost:8000") -> dict[str, Any]:
    return {"client": HERE, "headers": [(b"host", host), *more]}


def test_with_auth_only_that_counts() -> None:
    anywhere: dict[str, Any] = {
        "client": ("203.0.113.9", 1),
        "headers": [(b"host", b"orders.example")],
    }
    assert status(ask(page(lambda _: True), **anywhere)) == 200
    refused = ask(page(lambda _: False))
    assert status(refused) == 403
    assert b"debug_auth" in body(refused)


def test_none_is_a_no(caplog: pytest.LogCaptureFixture) -> None:
    assert status(ask(page(lambda _: None))) == 403
    assert caplog.records == []


@pytest.mark.parametrize(
    "answer", [0, 1, "", "no", [], ["somebody"], object(), RedirectResponse("/login")]
)
def test_what_is_neither_true_nor_false_is_a_failure_and_a_no(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of them are truthy, such as the redirect to a login."""

    async def later(_: Visitor) -> Any:
        return answer

    for auth in (lambda _: answer, later):
        caplog.clear()
        assert status(ask(page(auth))) == 403
        assert f"must return True or False, not {type(answer).__name__}" in caplog.text


def test_a_generator_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    def dependency(_: Visitor) -> Iterator[bool]:
        yield True

    assert status(ask(page(dependency))) == 403
    assert "not generator" in caplog.text


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


@pytest.mark.parametrize(
    "looks",
    [
        {"status_code": "401", "detail": "no"},
        {"status_code": None, "detail": "no"},
        {"detail": "no"},
        {"status_code": 503},  # as clients have it, of a service that is asked who this is
    ],
)
def test_an_exception_that_is_no_response_is_a_failure(
    looks: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Visitor) -> bool:
        raise type("FailedError", (Exception,), looks)

    assert status(ask(page(fail))) == 403
    assert "debug_auth" in caplog.text
