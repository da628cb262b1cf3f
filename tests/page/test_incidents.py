"""What went wrong, on the page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import AT, incident, pool
from tests.page.scenes import exhausted
from tests.page.service import service


def test_the_text_of_an_incident_keeps_its_lines(chromium: Chromium) -> None:
    with service(exhausted()) as it:

        async def look(page: Page) -> None:
            row = page.locator(".incident")
            await expect(row).to_contain_text("Timed out")
            await expect(row.locator("pre")).not_to_be_visible()
            await row.locator("summary").click()
            text = await row.locator("pre").inner_text()
            assert text.split("\n")[2].startswith("      now app/chat.py:41 in chat, awaiting")

        chromium.visit(it.address, look)


@pytest.mark.parametrize("kind", ["timed_out", "failed"])
def test_an_incident_that_grows_stays_open(chromium: Chromium, kind: str) -> None:
    def crowd(count: int, **changes: Any) -> dict[str, Any]:
        text = f"{count} of them\nand all of it"
        return pool(incidents=[incident(kind, count=count, text=text, **changes)])

    with service(crowd(1, at=AT)) as it:

        async def look(page: Page) -> None:
            rows, rest = page.locator(".incident"), page.locator(".incident pre")
            await rows.locator("summary").click()
            await expect(rest).to_be_visible()
            it.show(crowd(2, at=AT + 1, since=AT, holder=None, call_site=None))
            await expect(rows).to_contain_text("2 \u00d7")
            await expect(rest).to_be_visible()
            it.show(crowd(30, at=AT + 9, since=AT))
            await expect(rows).to_contain_text("30 \u00d7")
            await expect(rest).to_be_visible()
            await expect(rows).to_have_count(1)

        chromium.visit(it.address, look)
