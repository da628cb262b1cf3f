"""What a real PostgreSQL says of three requests, as somebody sees it who looks meanwhile."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from pool_observer.page.document import document
from pool_observer.page.history import History
from tests.page.browser import Chromium
from tests.page.service import service
from tests.postgres import Postgres
from tests.probe.story import CHAT, PAY, REPORT, purses, told


def test_who_is_in_whose_way_is_seen(chromium: Chromium, postgres: Postgres) -> None:
    async def main() -> None:
        with purses(postgres) as admin:
            async with told("asyncpg", postgres, admin) as story:
                await story.until_all_three_are_seen()
                said = document([(story.observer, History())])
        with service(*said["pools"], at=said["at"]) as it:
            await asyncio.to_thread(chromium.visit, it.address, look)

    async def look(page: Page) -> None:
        chat, pay, report = (
            page.locator(".hold", has=page.locator(".holder", has_text=route))
            for route in (CHAT, PAY, REPORT)
        )
        await expect(chat.locator(".tag.culprit")).to_have_text("blocks 1 session")
        await expect(chat).to_contain_text("1 session waits for its locks")
        await expect(pay).to_contain_text(f"of {CHAT} (process ")
        await expect(report).to_contain_text("waits for Timeout: PgSleep")
        await expect(page.get_by_role("img", name="; 1 ours, idle in transaction")).to_be_visible()

    asyncio.run(main())
