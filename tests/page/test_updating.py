"""New figures on the page that is there: rows stay what they are."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.page.browser import Chromium, until
from tests.page.documents import (
    IDLE_IN_TRANSACTION,
    hold,
    pool,
    route,
    wait,
)
from tests.page.scenes import blocked, crowded, exhausted, healthy, leaking
from tests.page.service import service


def test_a_leak_appears_and_goes(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            state, headline = page.locator(".state"), page.locator(".headline")
            await expect(state).to_have_text("Healthy")
            await expect(headline).to_have_text("1 of 15 connections used, nobody waits")

            it.show(leaking())
            row = page.locator(".hold", has_text="POST /orders")
            await expect(row).to_contain_text("overdue, limit 30 s")
            await expect(row).to_contain_text("5 min 41 s")
            await expect(row).to_contain_text("idle for 5 min 40 s")
            await expect(row).to_contain_text("outlives its request")
            await expect(row).to_contain_text("taken at app/orders.py:112 in export")
            await expect(row).to_contain_text("now its task has finished")
            await expect(row).to_contain_text("backend PID 7001")
            await expect(row).to_contain_text(
                "Return it where it was taken: with or async with does so on every path."
            )
            await expect(state).to_have_text("Attention")

            it.show(pool())
            await expect(page.get_by_text("Nobody holds a connection.")).to_be_visible()
            await expect(row).to_have_count(0)
            await expect(state).to_have_text("Healthy")

        chromium.visit(it.address, look)


def test_opened_details_focus_and_scroll_survive_updates(chromium: Chromium) -> None:
    with service(exhausted()) as it:

        async def look(page: Page) -> None:
            summary = page.locator(".hold summary", has_text="All 12")
            await summary.focus()
            await page.keyboard.press("Enter")
            members = page.locator(".hold", has_text="POST /chat/{id}").locator(".members li")
            await expect(members).to_have_count(12)
            await page.mouse.wheel(0, 200)
            await until(page, "scrollY > 0")
            scrolled = await page.evaluate("scrollY")

            # The route comes to stand after another one, and has one hold more.
            later = exhausted()
            first = hold(90, holder="GET /first", seconds=99.0)
            more = hold(91, seconds=1.0, diagnosis=IDLE_IN_TRANSACTION)
            later["holds"] = [first, *later["holds"][12:], *later["holds"][:12], more]
            it.show(later)
            await expect(members).to_have_count(13)
            assert await page.evaluate("document.activeElement.textContent") == (
                "All 13, from 4.2\u00a0s to 1.0\u00a0s"
            )
            assert await page.locator(".hold").first.inner_text() != ""
            await expect(page.locator(".hold .holder").nth(0)).to_have_text("GET /first")
            await expect(page.locator(".hold .holder").nth(1)).to_have_text("GET /reports")
            assert await page.evaluate("scrollY") >= scrolled

        chromium.visit(it.address, look, height=500)


def test_500_holds_keep_their_rows(chromium: Chromium) -> None:
    with service(crowded()) as it:

        async def look(page: Page) -> None:
            rows = page.locator(".hold")
            await expect(rows).to_have_count(500)
            await expect(page.get_by_text("20 more are not shown.")).to_be_visible()
            await page.evaluate(
                "window.before = [...document.querySelectorAll('.hold')]; window.longTasks = []"
            )
            for seconds in (1.0, 2.0, 3.0):
                it.show(crowded(seconds=seconds))
                await expect(rows.nth(1).locator(".age b")).to_have_text(
                    {1.0: "10 min", 2.0: "10 min 01 s", 3.0: "10 min 02 s"}[seconds]
                )
            same = "window.before.every((row, index) => row === rows[index])"
            assert await page.evaluate(
                f"(() => {{ const rows = document.querySelectorAll('.hold'); return {same}; }})()"
            )
            # A bound on jank, for a browser that shares its processors: no benchmark.
            assert await page.evaluate("Math.max(0, ...window.longTasks)") < 500

            fewer = crowded(seconds=4.0)
            del fewer["holds"][:250]
            it.show(fewer)
            await expect(rows).to_have_count(250)
            assert await page.evaluate(
                "window.before.slice(250).every((row) => row.isConnected)"
                " && window.before.slice(0, 250).every((row) => !row.isConnected)"
            )

        chromium.visit(it.address, look)


def test_a_row_stays_when_something_becomes_wrong_with_it(chromium: Chromium) -> None:
    """Holds grow into it one by one, and whoever has opened the row reads on."""
    with service(pool(holds=[hold(1), hold(2), hold(3)])) as it:

        async def look(page: Page) -> None:
            rows = page.locator(".hold")
            await rows.locator("summary").click()
            await expect(rows.locator(".members li")).to_have_count(3)
            it.show(pool(holds=[hold(1, diagnosis=IDLE_IN_TRANSACTION), hold(2), hold(3)]))
            await expect(rows.locator(".kind")).to_have_text(
                "1 of 3: Idle in transaction for 3.4 s"
            )
            await expect(rows).to_have_count(1)
            await expect(rows.locator(".members li")).to_have_count(3)
            each = [hold(number, diagnosis=IDLE_IN_TRANSACTION) for number in (1, 2, 3)]
            it.show(pool(holds=each))
            await expect(rows.locator(".kind")).to_have_text("Idle in transaction for 3.4 s")
            await expect(rows).to_have_count(1)

        chromium.visit(it.address, look)


def test_one_that_is_not_given_back_has_a_row_of_its_own(chromium: Chromium) -> None:
    left = {"kind": "finished", "text": "its request is over", "mend": "return it"}
    with service(pool(holds=[hold(1, diagnosis=left), hold(2), hold(3)])) as it:

        async def look(page: Page) -> None:
            rows = page.locator(".hold")
            await expect(rows).to_have_count(2)
            await expect(rows.first).to_contain_text("Not given back")
            await expect(rows.last).to_contain_text("2 \u00d7")

        chromium.visit(it.address, look)


def test_the_same_figures_touch_nothing(chromium: Chromium) -> None:
    with service(blocked()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".hold")).to_have_count(2)
            await page.evaluate(
                "window.touched = []; new MutationObserver((all) => touched.push(...all.map("
                "(one) => one.target.outerHTML ?? one.target.textContent)))"
                ".observe(document.querySelector('#pools'),"
                " { subtree: true, childList: true, characterData: true, attributes: true })"
            )
            asked = it.asked
            while it.asked < asked + 3:
                await page.wait_for_timeout(50)
            assert await page.evaluate("window.touched") == []

        chromium.visit(it.address, look)


def test_several_pools_are_told_apart(chromium: Chromium) -> None:
    with service(healthy(), {**exhausted(), "name": "reports"}) as it:

        async def look(page: Page) -> None:
            links = page.get_by_role("navigation", name="Pools").get_by_role("link")
            await expect(links).to_have_text(["orders healthy", "reports in trouble"])
            await links.nth(1).click()
            await expect(page.get_by_role("heading", name="reports")).to_be_in_viewport()
            it.show({**exhausted(), "name": "reports"})
            await expect(page.locator(".pool h2")).to_have_text(["reports"])
            await expect(links).to_have_count(0)

        chromium.visit(it.address, look)


def test_only_a_change_of_state_is_read_out(chromium: Chromium) -> None:
    def waiting(seconds: float) -> dict[str, Any]:
        return {**exhausted(), "waits": [wait(seconds=seconds)], "waiting": 1}

    with service(waiting(2.0)) as it:

        async def look(page: Page) -> None:
            live = page.locator("[aria-live]")
            await expect(live).to_have_count(1)
            await expect(live).to_have_text(
                "orders: In trouble. 15 of 15 connections used, 1 waiting, the first for 2.0 s."
            )
            it.show(waiting(3.0))
            await expect(page.locator(".headline")).to_contain_text("3.0 s")
            await expect(live).to_contain_text("2.0 s")
            it.show(healthy())
            await expect(live).to_contain_text("orders: Healthy. 1 of 15")
            assert await page.title() == "1/15 \u00b7 orders"

        chromium.visit(it.address, look)


def test_a_route_is_in_the_table_once(chromium: Chromium) -> None:
    rows = [route("GET /a", 2.0), route("GET /b", 1.0)]
    with service(pool(holders={"window_seconds": 60.0, "rows": rows})) as it:

        async def look(page: Page) -> None:
            names = page.get_by_role("rowheader")
            await expect(names).to_have_text(["GET /a", "GET /b"])
            rows.reverse()
            await expect(names).to_have_text(["GET /b", "GET /a"])

        chromium.visit(it.address, look)
