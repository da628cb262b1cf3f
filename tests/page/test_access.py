"""Who may see the live page. Each rule decides alone."""

from __future__ import annotations

from typing import Any

import pytest

from pool_observer.page import LivePage
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
    assert b"debug_app(..., auth=...)" in body(answer)
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
        "X-Cluster-Client-IP",
        "True-Client-IP",
        "CF-Ray",
        "CF-Connecting-IP",
        "X-Envoy-External-Address",
        "l5d-dst-canonical",
    ],
)
def test_whoever_comes_through_a_proxy_that_says_so_may_not(name: str) -> None:
    assert status(ask(page(), **from_here((name.encode(), b"127.0.0.1")))) == 403


def test_whoever_speaks_http_1_0_may_not() -> None:
    """Few do but proxies, such as nginx before 1.29.7 as it comes."""
    assert status(ask(page(), http_version="1.0")) == 403
    assert status(ask(page(), http_version="2")) == 200


def test_a_proxy_that_is_like_a_visitor_is_let_in_unless_debug_auth_says_no() -> None:
    """Such as nginx from 1.29.7 on, as it comes. Nothing in its requests tells it from one."""
    proxied = from_here((b"connection", b"keep-alive"), host=b"127.0.0.1:8000")
    assert status(ask(page(), **proxied)) == 200
    assert status(ask(page(lambda _: False), **proxied)) == 403


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"http://localhost:3000"])
def test_scripts_of_other_pages_may_not(origin: bytes) -> None:
    """The application's CORS middleware would show them the figures."""
    assert status(ask(page(), **from_here((b"origin", origin)))) == 403


@pytest.mark.parametrize(
    ("site", "mode", "expected"),
    [
        ("none", "navigate", 200),
        ("same-origin", "cors", 200),
        ("cross-site", "navigate", 200),
        ("cross-site", "cors", 403),
        ("cross-site", "no-cors", 403),
        ("same-site", "no-cors", 403),
        ("cross-site", "", 403),
        ("surprise", "websocket", 403),
    ],
)
def test_of_other_pages_only_their_links_lead_here(site: str, mode: str, expected: int) -> None:
    sent = from_here((b"sec-fetch-site", site.encode()), (b"sec-fetch-mode", mode.encode()))
    assert status(ask(page(), **sent)) == expected


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
