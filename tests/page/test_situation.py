"""What stands at the top: how things are, and who is behind it."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import hold, pool
from tests.page.scenes import blocked, crowded, down
from tests.page.service import service


def test_an_exhausted_pool_says_who_holds_it_and_who_waits(chromium: Chromium) -> None:
    with service(blocked()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_have_text(
                "15 of 15 connections used, 25 waiting, the first for 4.0 s"
            )
            await expect(page.locator(".state")).to_have_text("In trouble")
            because = page.locator(".situation .because").last
            await expect(because).to_contain_text(
                "POST /chat/{id} holds 12 of them: idle in transaction for 3.4 s."
            )
            await expect(page.locator(".blocked")).to_contain_text(
                "The event loop has been blocked for 3.2 s. Nobody is served meanwhile. It stands "
                "at app/reports.py:88 in build, blocked in pandas/io/excel.py:410 in to_excel."
            )
            chats = page.locator(".hold", has_text="POST /chat/{id}")
            await expect(chats).to_have_count(1)
            await expect(chats).to_contain_text("12 \u00d7")
            await expect(chats).to_contain_text(
                "now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in send"
            )
            nested = page.locator(".wait", has=page.locator(".nested:visible"))
            await expect(nested).to_contain_text("5 \u00d7")
            await expect(nested).to_contain_text("the first was taken at app/chat.py:30 in chat")
            await expect(
                page.get_by_role("img", name="at most 27 waiting, 3 time-outs")
            ).to_be_visible()
            await expect(
                page.get_by_role("img", name="3 executing, 12 in transaction")
            ).to_be_visible()
            for looks, cells in {"executing": 3, "in-transaction": 12, "waiting-fill": 1}.items():
                await expect(page.locator(f".track .{looks} b")).to_have_count(cells)
            await expect(page.locator(".track b:visible")).to_have_count(16)
            row = page.get_by_role("row", name="POST /chat/{id}")
            await expect(row.get_by_role("cell")).to_have_text(
                [
                    re.compile(r"^9\.7"),
                    re.compile(r"^90\s%"),
                    re.compile(r"^8\smin\s32\ss"),
                    re.compile("^1"),
                    re.compile("^0"),
                ]
            )

        chromium.visit(it.address, look)


def test_every_connection_is_a_cell(chromium: Chromium) -> None:
    unseen = pool(used=4, holds=[hold(1), hold(2, activity="idle")], idle=3, unseen=2)
    with service(unseen, {**crowded(30), "name": "crowded"}) as it:

        async def look(page: Page) -> None:
            track = page.locator(".track").first
            await expect(track).to_have_accessible_name(
                "Connections: 1 in transaction, 1 held idle, 2 not seen being taken, "
                "3 idle in the pool, 8 not open yet"
            )
            await expect(track.locator("b:visible")).to_have_count(15)
            for looks, cells in {"unknown": 2, "free": 3, "unopened": 8, "executing": 0}.items():
                await expect(track.locator(f".{looks} b")).to_have_count(cells)
            # There are more than the document lists, and more than can be told apart.
            await expect(page.locator(".track").last).to_have_accessible_name(
                "Connections: 30 in transaction, 20 not listed, 80 not open yet"
            )
            await expect(page.locator(".track").last.locator("b:visible")).to_have_count(3)

        chromium.visit(it.address, look)


def test_a_database_that_is_down_is_told(chromium: Chromium) -> None:
    with service(down()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".state")).to_have_text("In trouble")
            await expect(page.locator(".situation")).to_contain_text(
                "8 checkouts failed in the last minute."
            )
            cells = page.get_by_role("row", name="GET /users/{id}").get_by_role("cell")
            await expect(cells.last).to_have_text("7 failed", use_inner_text=False)
            incidents = page.locator(".incident")
            await expect(incidents.nth(0)).to_contain_text("Failed8")
            await expect(incidents.nth(0)).to_contain_text("OperationalError")
            await expect(incidents.nth(0).locator(".small")).to_have_text(
                re.compile(r"^\d\d:\d\d:\d\d to \d\d:\d\d:\d\d$")
            )
            await expect(incidents.nth(1)).to_contain_text("Event loop blocked")
            await expect(incidents.nth(1)).to_contain_text(
                "app/reports.py:88 in build for 6.0\u00a0s"
            )

        chromium.visit(it.address, look)


def test_one_that_is_not_given_back_is_told_before_it_is_overdue(chromium: Chromium) -> None:
    left = {"kind": "finished", "text": "its request is over", "mend": "return it"}
    with service(pool(holds=[hold(1, seconds=8.0, diagnosis=left)])) as it:

        async def look(page: Page) -> None:
            situation = page.locator(".situation")
            await expect(situation).to_contain_text("Attention")
            await expect(situation).to_contain_text("1 has not been given back.")
            await expect(situation).to_contain_text(
                "POST /chat/{id} has held one for 8.0 s: its request is over."
            )
            await expect(situation).to_contain_text("Return it.")

        chromium.visit(it.address, look)
