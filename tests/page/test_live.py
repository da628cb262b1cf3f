"""How the page keeps up with the service, and what it says when it cannot."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.page.browser import Chromium, until
from tests.page.scenes import exhausted, healthy
from tests.page.service import Service, service

_HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def answered(page: Page) -> None:
    """Until what was asked for has come."""
    await until(page, "asking === null")


async def asked_within(it: Service, page: Page, milliseconds: int) -> int:
    """How often the service is asked in that time, which passes only for this."""
    asked = it.asked
    await page.clock.run_for(milliseconds)
    await answered(page)
    return it.asked - asked


def test_it_asks_once_a_second(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            await answered(page)
            assert it.asked == 1
            for _ in range(3):
                assert await asked_within(it, page, 999) == 0
                assert await asked_within(it, page, 1) == 1

        chromium.visit(it.address, look, stand_still=True)


def test_it_does_not_ask_while_nobody_looks(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            await answered(page)
            await page.evaluate(_HIDE, True)
            assert await asked_within(it, page, 60_000) == 0
            it.show(exhausted())
            await page.evaluate(_HIDE, False)
            await expect(page.locator("#trouble")).to_be_hidden()
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await answered(page)
            assert await asked_within(it, page, 1000) == 1
            await expect(page.locator("#trouble")).to_be_hidden()

        chromium.visit(it.address, look, stand_still=True)


def test_it_can_be_paused(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            button = page.get_by_role("button")
            await expect(page.locator("#freshness")).to_contain_text("live")
            await answered(page)
            await button.press("Enter")
            await expect(button).to_have_text("Resume")
            await expect(page.locator("#freshness")).to_contain_text("paused at")
            it.show(exhausted())
            assert await asked_within(it, page, 60_000) == 0
            await page.evaluate(_HIDE, True)
            await page.evaluate(_HIDE, False)
            assert await asked_within(it, page, 60_000) == 0
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            await button.press("Enter")
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await expect(page.locator("#freshness")).to_contain_text("live")

        chromium.visit(it.address, look, stand_still=True)


def test_a_service_that_does_not_answer_is_waited_for(chromium: Chromium) -> None:
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            trouble = page.locator("#trouble")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            await answered(page)
            it.go_on.clear()
            await page.clock.run_for(3000)
            await expect(trouble).to_be_hidden()  # many a request takes two seconds
            await page.clock.run_for(1000)
            await expect(trouble).to_have_text("No answer for 3 s: the event loop may be blocked.")
            await expect(page.locator("[aria-live]")).to_contain_text("No answer for")
            await expect(page.locator("#freshness")).to_contain_text("4.0\u00a0s ago")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            it.show(exhausted())
            it.go_on.set()
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await expect(trouble).to_be_hidden()
            await expect(page.locator("#freshness")).to_contain_text("live")

        chromium.visit(it.address, look, stand_still=True)


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
            await answered(page)
            it.allowed = False
            await page.clock.run_for(1000)
            trouble = page.locator("#trouble")
            await expect(trouble).to_contain_text("You may not see the figures (403).")
            await expect(trouble).to_contain_text("debug_auth")
            await expect(page.locator(".headline")).to_contain_text("nobody waits")
            await answered(page)
            it.allowed = True
            assert await asked_within(it, page, 4999) == 0
            assert await asked_within(it, page, 1) == 1
            await expect(trouble).to_be_hidden()

        chromium.visit(it.address, look, may_complain="403", stand_still=True)


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


def test_what_is_asked_with_the_address_is_asked_again(chromium: Chromium) -> None:
    """A token in the query, for example."""
    with service(healthy()) as it:

        async def look(page: Page) -> None:
            async with page.expect_request("**/debug/pools?token=1") as request:
                pass
            assert (await request.value).headers["accept"] == "application/json"

        chromium.visit(f"{it.address}?token=1", look)
