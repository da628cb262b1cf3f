"""Several worker processes, of which any may answer."""

from __future__ import annotations

from playwright.async_api import Page, Route, expect

from tests.page.browser import Chromium, until
from tests.page.documents import document, pool
from tests.page.scenes import exhausted
from tests.page.service import service

A, B, C = 71, 72, 73


class Workers:
    """Answers as the worker whose turn it is. If it is nobody's, the loop of one is blocked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.turn: int | None = A

    async def answer(self, route: Route) -> None:
        if self.turn is not None:
            await route.fulfill(json=document(pool(used=self.turn), pid=self.turn))

    async def ask(self, *turns: int, after: int = 1000) -> None:
        """Let these be asked, one after the other."""
        for self.turn in turns:
            await self.page.clock.run_for(after)
            await until(self.page, "asking === null")

    async def wait_in_vain(self) -> None:
        """Let one be asked whose loop is blocked, until the page has no patience any more."""
        self.turn = None
        await self.page.clock.run_for(1000)
        assert await self.page.evaluate("asking !== null")
        await self.page.clock.run_for(10_000)
        await until(self.page, "asking === null")


async def working(page: Page, *turns: int) -> Workers:
    workers = Workers(page)
    await until(page, "asking === null")
    await page.route("**/*", workers.answer)
    await workers.ask(*turns)
    return workers


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
            await expect(buttons.nth(0)).to_have_text("71")
            await expect(headline).to_contain_text("25 waiting")
            await buttons.nth(0).click()
            await expect(headline).to_contain_text("3 of 15")
            await expect(buttons.nth(0)).to_have_attribute("aria-pressed", "true")

        chromium.visit(it.address, look)


def test_a_worker_that_was_replaced_is_followed(chromium: Chromium) -> None:
    with service(pool(), pid=A) as it:

        async def look(page: Page) -> None:
            workers = await working(page, B)
            origin = page.locator("#origin")
            await workers.ask(*[B] * 9)
            await expect(origin).to_contain_text("Process 71")  # it may just not be met
            await workers.ask(B)
            await expect(origin).to_contain_text("Process 72")
            await expect(page.locator(".headline")).to_contain_text("72 of 15")
            await expect(page.locator("#trouble")).to_be_hidden()
            await expect(page.get_by_role("button", name="71")).to_contain_text("no answer since")

        chromium.visit(it.address, look, stand_still=True)


def test_the_worker_that_is_blocked_is_named(chromium: Chromium) -> None:
    with service(pool(), pid=A) as it:

        async def look(page: Page) -> None:
            workers = await working(page, B, A)
            trouble = page.locator("#trouble")
            await workers.wait_in_vain()
            await expect(trouble).to_have_text("No answer for 10 s: the event loop may be blocked.")
            await workers.ask(B)
            await expect(trouble).to_have_text(
                "Worker process 71 gave no answer for 10 s: its event loop may be blocked. "
                "Shown is 72."
            )
            await workers.ask(B, B)
            await expect(trouble).to_be_visible()
            await workers.ask(A)
            await expect(trouble).to_be_hidden()

        chromium.visit(it.address, look, stand_still=True)


def test_if_it_is_not_known_which_one_is_blocked_that_is_said(chromium: Chromium) -> None:
    with service(pool(), pid=A) as it:

        async def look(page: Page) -> None:
            workers = await working(page, B, C)
            trouble = page.locator("#trouble")
            await workers.wait_in_vain()
            await workers.ask(B)
            await expect(trouble).to_contain_text("One of the worker processes 71, 73 gave no")
            await expect(trouble).to_contain_text("Others answer.")
            await workers.ask(A)
            await expect(trouble).to_contain_text("Worker process 73 gave no answer for 10 s")
            await expect(trouble).to_contain_text("Shown is 71.")

        chromium.visit(it.address, look, stand_still=True)


def test_the_figures_of_a_worker_that_was_chosen_stay_and_grow_old(chromium: Chromium) -> None:
    with service(pool(), pid=A) as it:

        async def look(page: Page) -> None:
            workers = await working(page, B)
            trouble = page.locator("#trouble")
            await page.get_by_role("button", name="72").click()
            await workers.ask(*[A] * 10)
            await expect(trouble).to_be_hidden()
            await workers.ask(A)
            await expect(trouble).to_contain_text("No figures of worker process 72 since")
            await expect(page.locator("body")).to_have_class("silent")
            await expect(page.locator(".headline")).to_contain_text("72 of 15")
            await workers.ask(B)
            await expect(trouble).to_be_hidden()
            await expect(page.locator("body")).not_to_have_class("silent")

        chromium.visit(it.address, look, stand_still=True)


def test_replicas_whose_pids_are_equal_are_kept_apart(chromium: Chromium) -> None:
    one, other = {"pid": 1, "id": "aaaaaaaa"}, {"pid": 1, "id": "bbbbbbbb"}
    with service(pool(used=3), **one) as it:

        async def look(page: Page) -> None:
            headline, origin = page.locator(".headline"), page.locator("#origin")
            buttons = page.get_by_role("navigation", name="Worker processes").get_by_role("button")
            await expect(origin).to_contain_text("Process 1,")
            it.process = other
            it.show(pool(used=4))
            await expect(buttons).to_have_text(["1 (aaaaaa)", "1 (bbbbbb)"])
            await expect(headline).to_contain_text("3 of 15")
            await buttons.nth(1).click()
            await expect(headline).to_contain_text("4 of 15")
            await expect(origin).to_contain_text("Process 1 (bbbbbb),")

        chromium.visit(it.address, look)


def test_a_service_that_tells_no_id_is_told_by_its_pid(chromium: Chromium) -> None:
    with service(pool(used=3), pid=71, id=None) as it:

        async def look(page: Page) -> None:
            buttons = page.get_by_role("navigation", name="Worker processes").get_by_role("button")
            await expect(page.locator("#origin")).to_contain_text("Process 71,")
            it.process = {"pid": 72, "id": None}
            await expect(buttons).to_have_text(["71", "72"])

        chromium.visit(it.address, look)
