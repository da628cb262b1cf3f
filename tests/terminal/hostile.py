"""Names that want to be more than names, wherever a page has a name."""

from __future__ import annotations

from typing import Any

from tests.page.documents import blocker, document, hold, pool, server, session, wait

NAMES = [
    "GET /\x1b[2J\x1b[H\x1b]0;owned\x07\x1b[?1049l",
    "GET /\x9b31m\x90q\x9c",
    "GET /a\n\r\t\x00\x08\x7f\x0e\x85\u2028b",
    "\u202eGET /evil\u202c \u2066 \u200f\u05d0\u05d1\u05d2",
    "GET /" + "x" * 10_000,
    "GET /" + "\u6f22" * 10_000,
    "wide \U0001f9d1\u200d\U0001f680 " * 2_000,
    "a" + "\u0301\u0302\u0303" * 3_000,
    "\u1100\u1161\u11a8" * 100,
    "\ud800",
    "",
]


def full_of(name: str) -> dict[str, Any]:
    """Everything that is a string, and not one of a few, is that name."""
    place = {"file": name, "line": 1, "function": name}
    standing = {"doing": "awaiting", "at": place, "calling": place, "innermost": None}
    odd = {
        "holder": name,
        "call_site": place,
        "standing": standing,
        "diagnosis": {"kind": "idle", "text": name, "mend": name},
        "limit_reason": name,
        "server": session(
            waits_for=name, blocked_by=[blocker(user=name, application=name)], blocks=1
        ),
    }
    waiting = {"holder": name, "call_site": place, "nested_in": place}
    loops = {"lag_seconds": 3.0, "blocked": [{"seconds": 3.0, "standing": standing}]}
    return document(
        pool(
            name,
            holds=[hold(1, **odd), hold(2, **odd)],
            waits=[wait(1, **waiting), wait(2, stage="connect")],
            event_loop=loops,
            server=server(up=False, error=name),
        ),
        pool("other"),
    )
