"""How the page keeps up with the service, and what it says when it cannot."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import pool
from tests.page.scenes import exhausted, healthy
from tests.page.service import Service, service

_HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def asked_again(it: Service, page: Page, times: int = 1) -> None:
    asked = it.asked
    while it.asked < asked + times:
        await page.wait_for_timeout(20)


async def nothing_is_asked(it: Service, page: Page) -> None:
    """For longer than it takes to ask again."""
    await page.wait_for_timeout(100)  # what is under way
    asked = it.asked
    await page.wait_for_timeout(1500)
    assert it.asked == asked


def test_it_asks_once_a_second_and_not_while_nobody_looks(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            await asked_again(it, page, 2)
            await page.evaluate(_HIDE, True)
            await nothing_is_asked(it, page)
            it.show(exhausted())
            await page.evaluate(_HIDE, False)
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await asked_again(it, page, 2)
            await expect(page.locator("#trouble")).to_be_hidden()

        chromium.visit(it.address, look)


def test_it_can_be_paused(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            button = page.get_by_role("button")
            await expect(page.locator("#freshness")).to_contain_text("live")
            await button.press("Enter")
            await expect(button).to_have_text("Resume")
            await expect(page.locator("#freshness")).to_contain_text("paused at")
            it.show(exhausted())
            await nothing_is_asked(it, page)
            await page.evaluate(_HIDE, True)
            await page.evaluate(_HIDE, False)
            await nothing_is_asked(it, page)
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            await button.press("Enter")
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await expect(page.locator("#freshness")).to_contain_text("live")

        chromium.visit(it.address, look)


def test_a_service_that_does_not_answer_is_waited_for(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            trouble = page.locator("#trouble")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            it.go_on.clear()
            await expect(trouble).to_have_text(
                re.compile(r"No answer for \d s: the event loop may be blocked\.")
            )
            await expect(page.locator("[aria-live]")).to_contain_text("No answer for")
            await expect(page.locator("#freshness")).to_contain_text("ago")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            it.show(exhausted())
            it.go_on.set()
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await expect(trouble).to_be_hidden()
            await expect(page.locator("#freshness")).to_contain_text("live")

        chromium.visit(it.address, look)


def test_a_service_that_is_gone_comes_back(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            trouble = page.locator("#trouble")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            await page.route("**/*", lambda route: route.abort("connectionrefused"))
            await expect(trouble).to_have_text(
                re.compile(r"No answer for \d s: the service cannot be reached\.")
            )
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            await page.unroute("**/*")
            it.show(exhausted())
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await expect(trouble).to_be_hidden()

        chromium.visit(it.address, look, may_complain="ERR_CONNECTION_REFUSED")


def test_whoever_may_not_look_any_more_is_told(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            it.allowed = False
            trouble = page.locator("#trouble")
            await expect(trouble).to_contain_text("You may not see the figures (403).")
            await expect(trouble).to_contain_text("debug_auth")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            it.allowed = True
            await expect(trouble).to_be_hidden(timeout=10_000)

        chromium.visit(it.address, look, may_complain="403")


def test_a_failure_of_the_service_is_told(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            it.error = ZeroDivisionError()
            trouble = page.locator("#trouble")
            await expect(trouble).to_contain_text(
                "an error (500). Making the figures failed with ZeroDivisionError"
            )
            it.error = None
            await expect(trouble).to_be_hidden()

        chromium.visit(it.address, look, may_complain="500")


def test_answers_of_another_kind_are_not_taken_for_figures(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            trouble = page.locator("#trouble")
            await page.route("**/*", lambda route: route.fulfill(body="<p>Log in", status=200))
            await expect(trouble).to_contain_text("a login page?")
            await page.unroute("**/*")
            await page.route("**/*", lambda route: route.fulfill(json={"schema": 2}))
            await expect(trouble).to_contain_text("Load the page again.", timeout=10_000)

        chromium.visit(it.address, look)


def test_workers_that_answer_in_turn_are_kept_apart(chromium: Chromium) -> None:
    with service(pool("orders", used=1), pid=71) as it:

        async def look(page: Page) -> None:
            choice = page.get_by_role("navigation", name="Worker processes")
            headline, buttons = page.locator(".headline"), choice.get_by_role("button")
            await expect(headline).to_contain_text("1 of 15")
            await expect(choice).to_be_hidden()

            it.process = {"pid": 72}
            it.show({**exhausted(), "name": "orders"})
            await expect(buttons).to_have_text(["71", "72: in trouble"])
            await expect(buttons.nth(0)).to_have_attribute("aria-pressed", "true")
            await expect(headline).to_contain_text("1 of 15")  # still that of 71

            await buttons.nth(1).click()
            await expect(headline).to_contain_text("25 waiting")
            await expect(page.locator("#origin")).to_contain_text("Process 72")

            it.process = {"pid": 71}
            it.show(pool("orders", used=3))
            await asked_again(it, page, 2)
            await expect(headline).to_contain_text("25 waiting")
            await buttons.nth(0).click()
            await expect(headline).to_contain_text("3 of 15")
            await expect(buttons.nth(0)).to_have_attribute("aria-pressed", "true")

        chromium.visit(it.address, look)


def test_a_service_that_was_started_anew_is_followed(chromium: Chromium) -> None:
    with service(pool(used=1), pid=71) as it:

        async def look(page: Page) -> None:
            await expect(page.locator("#origin")).to_contain_text("Process 71")
            it.process = {"pid": 99}
            it.show(pool(used=2))
            await expect(page.locator("#origin")).to_contain_text("Process 99", timeout=15_000)
            await expect(page.locator(".headline")).to_contain_text("2 of 15")

        chromium.visit(it.address, look)


def test_what_is_asked_with_the_address_is_asked_again(chromium: Chromium) -> None:
    """A token in the query, for example."""
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            async with page.expect_request("**/debug/pools?token=1") as request:
                pass
            assert (await request.value).headers["accept"] == "application/json"

        chromium.visit(f"{it.address}?token=1", look)
