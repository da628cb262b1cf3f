"""The classic bug on a real service, as somebody sees it who has the page open meanwhile."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect

from tests.forensics.cases import ASKS
from tests.forensics.running import place, running
from tests.forensics.service import DEBUG_PATH
from tests.page.browser import Chromium
from tests.postgres import Postgres


def test_a_session_kept_across_an_await_appears_and_goes(
    chromium: Chromium, postgres: Postgres, tmp_path: Path
) -> None:
    with running(postgres, tmp_path) as service:

        async def look(page: Page) -> None:
            pool = page.get_by_role("region", name="orders")
            held = pool.get_by_role("listitem").filter(has_text="POST /chat/{user}").first
            await expect(pool.locator(".headline")).to_contain_text("nobody waits")
            await expect(held).to_have_count(0)
            chat = service.begin("POST /chat/7")
            await expect(held).to_contain_text("overdue")
            for marker in ("taken: chat", ASKS):
                file, line = place(marker)
                await expect(held).to_contain_text(f"{file}:{line}")
            await expect(held).to_contain_text("awaiting httpx/_client.py")
            await expect(held).to_contain_text("Idle in transaction")
            await expect(held).to_contain_text("Commit or close the session before this await")
            service.slow.release("chat")
            assert chat.result(30) == 200
            await expect(held.filter(has_text="Idle in transaction")).to_have_count(0)
            await expect(pool).to_contain_text("POST /chat/{user} was overdue, returned after")

        chromium.visit(f"{service.address}{DEBUG_PATH}", look)
