"""Page or figures, by the Accept header."""

from __future__ import annotations

import pytest

from pool_observer.page import LivePage
from tests.page.calls import ask, headers
from tests.page.documents import document

JSON, HTML = "application/json", "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        ("text/html", HTML),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HTML),
        ("application/json", JSON),
        ("Application/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/*", JSON),
        ("application/json, text/html", HTML),
        ("text/html, application/json", HTML),
        ("text/*, application/json", JSON),
        ("application/json;q=0.9, text/html", HTML),
        ("application/json, text/html;q=0.9", JSON),
        ("application/json;q=0.5, text/html; q=0.4", JSON),
        ("application/json ; q=0.5 , */* ; q=0.6", HTML),
        ("text/html;q=0, */*", JSON),
        ("application/json;q=0", HTML),
        ("application/json;q=0, text/html;q=0", HTML),
        ("text/html;q=0, application/json;q=0", HTML),
        ("image/png", HTML),
        ("application/json;q=nonsense", HTML),
        ("application/json;q=nan", HTML),
        ("application/json;q=9", HTML),
        ("application/json;q=-1", HTML),
        (",;,;q=,/", HTML),
        ("\xff", HTML),
    ],
)
def test_an_accept_header_gets(accept: str | None, expected: str) -> None:
    said = [] if accept is None else [(b"accept", accept.encode("latin-1"))]
    answer = ask(LivePage(document), headers=[(b"host", b"localhost"), *said])
    assert headers(answer)["content-type"] == expected
    assert headers(answer)["vary"] == "accept"


def test_several_accept_headers_are_one() -> None:
    said = [(b"accept", b"text/html;q=0.5"), (b"Accept", b"application/json")]
    answer = ask(LivePage(document), headers=[(b"host", b"localhost"), *said])
    assert headers(answer)["content-type"] == JSON
