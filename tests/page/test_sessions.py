"""What the database server says of a hold."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import AT, blocker, hold, pool, server, session
from tests.page.scenes import crowded
from tests.page.servers import ROW_LOCK, locked
from tests.page.service import service


def test_who_blocks_and_who_is_blocked_stands_out(chromium: Chromium) -> None:
    with service(locked()) as it:

        async def look(page: Page) -> None:
            rows = page.locator(".hold")
            await expect(rows).to_have_count(3)
            paying, chained, young = rows.nth(0), rows.nth(1), rows.nth(2)
            await expect(paying.locator(".tag")).to_have_text(
                ["1 of 3 blocks 3 sessions", "2 of 3 wait for a lock"]
            )
            await expect(paying).to_contain_text(
                "on the server, PID 7001: idle in transaction for 5.4\u00a0s, 3 sessions wait for "
                "its locks \u00b7\u00a04\u00a0s\u00a0ago"
            )
            await expect(paying.locator(".kind")).to_have_text("2 of 3: Waits for a lock")
            colours = {"culprit": "rgb(194, 34, 44)", "victim": "rgb(147, 95, 0)"}
            for looks, colour in colours.items():
                tag = chained.locator(f".tag.{looks}")
                await expect(tag).to_have_css("background-color", colour)
            await paying.locator("summary").click()
            await expect(paying.locator(".members li").nth(1)).to_contain_text(
                f"on the server: active for 5.0\u00a0s, waits for {ROW_LOCK} of POST /pay "
                "(process 7001, idle in transaction for 5.4\u00a0s) \u00b7\u00a04\u00a0s\u00a0ago"
            )
            await expect(chained.locator(".tag")).to_have_text(
                ["blocks 1 session", "waits for a lock"]
            )
            await expect(chained).to_contain_text(
                "on the server: active for 3.5\u00a0s, transaction open for 4.1\u00a0s, waits for "
                "Lock: tuple of another client (process 812, user deploy, application psql, idle "
                "in transaction for 70\u00a0s) and 1 more, 1 session waits for its locks"
            )
            await expect(young).to_contain_text("on the server: idle \u00b7\u00a04\u00a0s")
            await expect(young.locator(".tag:visible")).to_have_count(0)

        chromium.visit(it.address, look)


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (
            session(blocked_by=[blocker(0, state=None)]),
            "waits for a lock of a prepared transaction",
        ),
        (
            session(blocked_by=[blocker(9, state=None, state_seconds=None)]),
            "waits for a lock of another client (process 9) \u00b7",
        ),
        (session(state="aborted", state_seconds=3.0), "in an aborted transaction for 3.0\u00a0s"),
        (session(state="unknown", state_seconds=None), "in a state that may not be seen \u00b7"),
        (session(transaction_seconds=2.4), "idle in transaction for 2.0\u00a0s \u00b7"),
        (
            session(transaction_seconds=2.6),
            "idle in transaction for 2.0\u00a0s, transaction open for 2.6\u00a0s \u00b7",
        ),
        (session(waits_for="IO: DataFileRead"), "waits for IO: DataFileRead \u00b7"),
        (session(seconds_ago=0.2), "\u00b7\u00a00\u00a0s\u00a0ago"),
        (session(seconds_ago=75.0), "\u00b7\u00a075\u00a0s\u00a0ago"),
    ],
)
def test_what_a_session_does(chromium: Chromium, says: dict[str, Any], sentence: str) -> None:
    with service(pool(holds=[hold(server=says)])) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".hold")).to_contain_text(sentence)

        chromium.visit(it.address, look)


@pytest.mark.parametrize(
    ("holding", "tags"),
    [
        ({"activity": "in_transaction", "activity_seconds": 1.0}, ["blocks 2 sessions"]),
        ({"activity": "idle", "activity_seconds": 3.9}, []),  # its transaction has ended since
        ({"activity": "idle", "activity_seconds": 4.0}, ["blocks 2 sessions"]),  # an advisory lock
        (
            {"activity": "executing", "activity_seconds": 4.0},
            ["blocks 2 sessions", "waits for a lock"],
        ),
        ({"activity": "executing", "activity_seconds": 3.9}, ["blocks 2 sessions"]),
    ],
)
def test_a_lock_is_claimed_only_while_it_may_still_be_there(
    chromium: Chromium, holding: dict[str, Any], tags: list[str]
) -> None:
    """The server was asked four seconds ago, and the hold has got on meanwhile."""
    says = session(blocks=2, blocked_by=[blocker()])
    with service(pool(holds=[hold(**holding, server=says)])) as it:

        async def look(page: Page) -> None:
            row = page.locator(".hold")
            await expect(row).to_contain_text("on the server:")
            await expect(row.locator(".tag:visible")).to_have_text(tags)

        chromium.visit(it.address, look)


def test_the_one_that_most_wait_for_speaks_for_the_row(chromium: Chromium) -> None:
    holds = [hold(number, server=session(blocks=blocks)) for number, blocks in enumerate((1, 5, 0))]
    with service(pool(holds=holds)) as it:

        async def look(page: Page) -> None:
            row = page.locator(".hold")
            await expect(row.locator(".tag")).to_have_text(["2 of 3 block others"])
            await expect(row).to_contain_text("on the server, PID 7001:")
            waits = session(blocked_by=[blocker()])
            waiting = {"activity": "executing", "activity_seconds": 9.0, "server": waits}
            it.show(pool(holds=[hold(0), hold(1), hold(2, **waiting)]))
            await expect(row.locator(".tag:visible")).to_have_text(["1 of 3 waits for a lock"])
            await expect(row).to_contain_text("on the server, PID 7002:")
            it.show(pool(holds=[hold(number, server=session()) for number in range(3)]))
            await expect(row.locator(".tag:visible")).to_have_count(0)
            await expect(row.get_by_text("on the server")).to_be_hidden()

        chromium.visit(it.address, look)


def test_500_sessions_keep_their_rows(chromium: Chromium) -> None:
    def figures(seconds: float) -> dict[str, Any]:
        crowd = crowded(seconds=seconds)
        for number, held in enumerate(crowd["holds"]):
            whose = [blocker(7001, holder="GET /route/1")] if number % 2 == 0 else []
            held["server"] = session(seconds_ago=seconds, blocked_by=whose, blocks=number % 3)
        return {**crowd, "server": server(ours={"idle": 500}, at=AT - seconds)}

    with service(figures(0.0)) as it:

        async def look(page: Page) -> None:
            rows = page.locator(".hold")
            await expect(rows).to_have_count(500)
            await page.evaluate(
                "window.before = [...document.querySelectorAll('.hold')];"
                " window.names = [...document.querySelectorAll('.hold bdi')];"
                " window.longTasks = []"
            )
            for seconds in (1.0, 2.0, 3.0):
                it.show(figures(seconds))
                await expect(rows.nth(250)).to_contain_text(f"{seconds:.0f}\u00a0s\u00a0ago")
            assert await page.evaluate(
                "window.before.every((row) => row.isConnected)"
                " && window.names.every((name) => name.isConnected)"
            )
            # A bound on jank, for a browser that shares its processors: no benchmark.
            assert await page.evaluate("Math.max(0, ...window.longTasks)") < 500

        chromium.visit(it.address, look)
