"""The page in one piece, and the policy by which a browser runs nothing but what is in it."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

SCRIPT = (
    "words",
    "dom",
    "places",
    "groups",
    "judging",
    "situation",
    "timeline",
    "sessions",
    "holds",
    "waits",
    "routes",
    "incidents",
    "settings",
    "server",
    "pool",
    "page",
    "asking",
)
"""The parts of its script, those first that others are made of."""


@dataclass(frozen=True, slots=True)
class Html:
    """What is sent to a browser."""

    body: bytes
    policy: str
    """Its Content-Security-Policy."""


@functools.cache
def html() -> Html:
    """The page, read once."""
    script = "".join(_read(f"{part}.js") for part in SCRIPT)
    page = _read("page.html")
    page = page.replace("<style></style>", f"<style>\n{_read('page.css')}</style>")
    page = page.replace("<script></script>", f"<script>\n{script}</script>")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashes(page, 'script')}",
            f"style-src {_hashes(page, 'style')}",
            "img-src data:",  # the icon in the tab, which shows the state
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # The browser itself sees to it that no name is ever parsed as HTML.
            "require-trusted-types-for 'script'",
        )
    )
    return Html(page.encode(), policy)


def _read(name: str) -> str:
    # As text: browsers hash what is between the tags with plain line ends.
    return files("pool_observer.page").joinpath("live", name).read_text(encoding="utf-8")


def _hashes(page: str, tag: str) -> str:
    blocks = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digests = (hashlib.sha256(block.encode()).digest() for block in blocks)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
