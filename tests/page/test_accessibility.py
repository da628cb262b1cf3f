"""What axe finds, with everything opened that can be."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import pool
from tests.page.scenes import blocked, down, exhausted, healthy, leaking
from tests.page.servers import locked, nearly_full, pooled, silent
from tests.page.service import service

ON_THE_SERVER = (locked, nearly_full, silent, pooled)
SCENES = (healthy, exhausted, leaking, blocked, down, *ON_THE_SERVER, pool)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing(chromium: Chromium, width: int, scheme: str) -> None:
    pools = [{**scene(), "name": scene.__name__} for scene in SCENES]
    with service(*pools, pid=71) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".pool")).to_have_count(len(SCENES))
            for summary in await page.locator("summary:visible").all():
                await summary.click()
            it.process = {"pid": 72}
            await expect(page.get_by_role("button", name="72")).to_be_visible()
            results = await Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
            it.go_on.clear()
            await expect(page.locator("body.silent #trouble")).to_contain_text("No answer for")
            results = await Axe().run(page)
            assert results.violations_count == 0, results.generate_report()

        chromium.visit(it.address, look, width=width, color_scheme=scheme, bypass_csp=True)
