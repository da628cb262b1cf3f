"""What is said to be the matter."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import (
    AT,
    hold,
    incident,
    pool,
    server,
    timeline,
    unanswered,
    wait,
)
from tests.page.service import service


def ago(seconds: int, name: str, count: int = 1) -> dict[str, Any]:
    """Figures of a pool where that happened so many seconds ago."""
    series = [0] * 120
    series[-seconds] = count
    return pool(timeline=timeline(120, **{name: series}))


def late(lag: float, /, **blocked: Any) -> dict[str, Any]:
    return pool(event_loop={"lag_seconds": lag, "blocked": [blocked] if blocked else []})


def held(count: int, **changes: Any) -> dict[str, Any]:
    return pool(holds=[hold(number, **changes) for number in range(count)])


def locked(count: int) -> dict[str, Any]:
    return held(count, diagnosis={"kind": "locked", "text": "waiting for a lock", "mend": "wait"})


def taken(sessions: int, **changes: Any) -> dict[str, Any]:
    """A pool whose server has that many of others."""
    return pool(server=server(others={"idle": sessions}, **changes))


HEALTHY = {
    "nothing": pool(),
    "11 of 15 used": held(11),
    "many used, without a limit": pool(used=100, max=None),
    "lost, long ago": pool(incidents=[incident("lost", at=AT - 301)]),
    "timed out, a minute ago": ago(61, "timed_out"),
    "failed, a minute ago": ago(61, "failed"),
    "hardly late": late(0.99),
    "10 of 100 left on the server": taken(90, reserved_connections=0),
    "10 of 97 left on the server": taken(87),
    "8 of 80 left on the server": taken(72, reserved_connections=20),
    "a server whose limit is not known": taken(87, max_connections=None),
    "tested before use": pool(waits=[wait(stage="ping", seconds=0.002)]),
    "a server that is not asked": pool(server=None),
    "a server that does not answer": pool(server=unanswered()),
    "a server that took none and does not answer": pool(server=unanswered(max_connections=0)),
}
ATTENTION = {
    "12 of 15 used": held(12),
    "full": held(15),
    "waiting": pool(waits=[wait(seconds=0.9)]),
    "waiting for others, not for long": pool(waits=[wait(seconds=0.002)]),
    "tested, and it takes long": pool(waits=[wait(stage="ping", seconds=0.2)]),
    "tested, while somebody queues": pool(
        waits=[wait(1, stage="ping", seconds=0.002), wait(2, seconds=0.001)]
    ),
    "overdue": held(1, overdue=True),
    "lost": pool(incidents=[incident("lost", at=AT - 299)]),
    "timed out": ago(60, "timed_out"),
    "timed out, lately": ago(11, "timed_out"),
    "failed": ago(60, "failed"),
    "failed, lately": ago(11, "failed"),
    "late": late(6.0),
    "waiting for a lock": locked(1),
    "9 of 100 left on the server": taken(91, reserved_connections=0),
    "9 of 97 left on the server": taken(88),
    "none left on the server": taken(97),
    "those in use that are reserved": taken(99),
}
TROUBLE = {
    "waiting for long": pool(waits=[wait(seconds=1.0)]),
    "timed out, and waiting": {**ago(60, "timed_out"), "waiting": 1},
    "timed out now": ago(10, "timed_out"),
    "failed now": ago(10, "failed"),
    "blocked": late(6.0, seconds=6.0, standing=None),
}


@pytest.mark.parametrize(
    ("pools", "level"), [(HEALTHY, "Healthy"), (ATTENTION, "Attention"), (TROUBLE, "In trouble")]
)
def test_each_reason_suffices(
    chromium: Chromium, pools: dict[str, dict[str, Any]], level: str
) -> None:
    with service(*({**figures, "name": name} for name, figures in pools.items())) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".pool h2")).to_have_text(list(pools))
            await expect(page.locator(".state")).to_have_text([level] * len(pools))

        chromium.visit(it.address, look)


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (ago(30, "timed_out", 2), "2 gave up waiting in the last minute."),
        (ago(30, "failed"), "1 checkout failed in the last minute."),
        (ago(30, "failed", 8), "8 checkouts failed in the last minute."),
        (late(6.0), "The event loop was late by 6.0 s in the last seconds."),
        (locked(1), "1 waits for a lock."),
        (locked(2), "2 wait for a lock."),
        (taken(88), "The database server has only 9 of its 97 connections left."),
        (taken(99), "The database server has none of its 97 connections left."),
    ],
)
def test_the_reason_is_said(chromium: Chromium, figures: dict[str, Any], sentence: str) -> None:
    with service(figures) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".notes")).to_have_text(sentence)

        chromium.visit(it.address, look)


@pytest.mark.parametrize(
    ("waiting", "headline"),
    [
        (wait(stage="ping", seconds=0.002), "0 of 15 connections used, 1 being opened or tested"),
        (
            wait(stage="connect", seconds=3.0),
            "0 of 15 connections used, 1 waiting, the first for 3.0 s",
        ),
    ],
)
def test_who_waits_for_nobody_is_not_said_to_queue(
    chromium: Chromium, waiting: dict[str, Any], headline: str
) -> None:
    with service(pool(waits=[waiting])) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_have_text(headline)

        chromium.visit(it.address, look)


def test_that_it_is_blocked_is_said_once(chromium: Chromium) -> None:
    with service(late(6.0, seconds=6.0, standing=None)) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".blocked")).to_contain_text("blocked for 6.0 s")
            await expect(page.locator(".notes")).to_be_hidden()

        chromium.visit(it.address, look)
