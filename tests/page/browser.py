"""A real Chromium, in a thread with an event loop of its own: other tests want theirs."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.page.documents import AT

EXECUTABLE = shutil.which("chromium")
PATIENCE_SECONDS = 120

_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
window.longTasks = [];
new PerformanceObserver((list) => {
  window.longTasks.push(...list.getEntries().map((task) => Math.round(task.duration)));
}).observe({ type: "longtask", buffered: true });
"""


async def until(page: Page, condition: str) -> None:
    """Wait for it. Playwright's own wait_for_function evaluates it in the page, which is refused
    there by the Content-Security-Policy, unless it is true at once."""
    async with asyncio.timeout(30):
        while not await page.evaluate(condition):
            await asyncio.sleep(0.01)


class Chromium:
    """Looks at pages, and sees to it that nothing goes wrong in them."""

    def __init__(self, browser: Browser, loop: asyncio.AbstractEventLoop) -> None:
        self._browser = browser
        self._loop = loop

    def visit(
        self,
        address: str,
        look: Callable[[Page], Awaitable[None]],
        *,
        width: int = 1440,
        height: int = 900,
        may_complain: str | None = None,
        stand_still: bool = False,
        **context: Any,
    ) -> None:
        """Open the address and look; `may_complain` is in what the console may say.

        With `stand_still`, no time passes on the page but what `page.clock` is told.
        """

        async def visit() -> None:
            complaints: list[str] = []

            def heard(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning"):
                    complaints.append(message.text)

            viewport: Any = {"width": width, "height": height}
            within = await self._browser.new_context(viewport=viewport, **context)
            try:
                await within.add_init_script(_WATCH)
                page = await within.new_page()
                page.on("console", heard)
                page.on("pageerror", lambda error: complaints.append(str(error)))
                if stand_still:
                    await page.clock.install(time=AT)
                    await page.clock.pause_at(AT + 1)
                await page.goto(address)
                await look(page)
                if context.get("java_script_enabled", True):
                    complaints += await page.evaluate("window.violations")
            finally:
                await within.close()
            unexpected = [
                complaint
                for complaint in complaints
                if may_complain is None or may_complain not in complaint
            ]
            assert unexpected == []

        asyncio.run_coroutine_threadsafe(visit(), self._loop).result(PATIENCE_SECONDS)


@contextmanager
def started_chromium() -> Iterator[Chromium]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="chromium")
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE_SECONDS)

    try:
        playwright = run(async_playwright().start())
        try:
            browser = run(playwright.chromium.launch(executable_path=EXECUTABLE))
            try:
                yield Chromium(browser, loop)
            finally:
                run(browser.close())
        finally:
            run(playwright.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
