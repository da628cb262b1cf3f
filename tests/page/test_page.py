"""The live page in a real browser: what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import hold, incident, pool, wait
from tests.page.scenes import blocked, crowded, down, exhausted, healthy, leaking
from tests.page.servers import locked, nearly_full, pooled, silent
from tests.page.service import service

PAPER = {"light": "rgb(251, 251, 252)", "dark": "rgb(14, 17, 21)"}


def test_an_older_service_that_counts_no_failures_is_shown(chromium: Chromium) -> None:
    older = exhausted()
    del older["totals"]["failed"], older["timeline"]["failed"]
    for listed in (*older["holders"]["rows"], *older["incidents"]):
        listed.pop("failed", None)
        listed.pop("since", None)
    with service(older) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_contain_text("25 waiting")
            await expect(page.locator(".incident")).to_contain_text("Timed out")
            await expect(page.locator("#trouble")).to_be_hidden()
            everything = await page.inner_text("body")
            for nonsense in ("undefined", "NaN", "failed."):
                assert nonsense not in everything

        chromium.visit(it.address, look)


def test_nothing_to_show_is_said(chromium: Chromium) -> None:
    with service(pool()) as it:

        async def look(page: Page) -> None:
            for sentence in (
                "0 of 15 connections used, nobody waits",
                "Nobody holds a connection.",
                "Nobody waits for one.",
                "Nobody has used one lately.",
                "Nothing has been reported.",
            ):
                await expect(page.get_by_text(sentence, exact=True).last).to_be_visible()
            it.show()
            await expect(page.get_by_text("No pool is observed.")).to_be_visible()
            await expect(page.locator(".pool")).to_have_count(0)

        chromium.visit(it.address, look)


def test_what_is_not_known_is_left_out(chromium: Chromium) -> None:
    unknown: dict[str, Any] = {
        "phase": None,
        "call_site": None,
        "standing": None,
        "backend_pid": None,
        "limit_seconds": None,
    }
    unbounded = pool(
        max=None,
        settings=None,
        event_loop={"lag_seconds": None, "blocked": [{"seconds": 1.0, "standing": None}]},
        holds=[hold(1, **unknown)],
        waits=[wait(1, call_site=None)],
        incidents=[incident("lost", holder=None, call_site=None, seconds=None)],
    )
    with service(unbounded) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_contain_text("used, without a limit")
            await expect(page.locator(".blocked")).to_contain_text("Where is not known.")
            everything = await page.inner_text("body")
            for nonsense in ("null", "undefined", "NaN", "unknown", "[object"):
                assert nonsense not in everything

        chromium.visit(it.address, look)


def test_words_it_does_not_know_are_shown_as_they_are(chromium: Chromium) -> None:
    newer = pool(
        holds=[
            hold(
                1,
                activity="pondering",
                phase="afterlife",
                standing={"doing": "dreaming", "at": None, "calling": None, "innermost": None},
                diagnosis={"kind": "constructor", "text": "It is new.", "mend": ""},
            )
        ],
        waits=[wait(1, stage="lobby")],
        incidents=[incident("exploded", text="Bang.")],
    )
    with service(newer) as it:

        async def look(page: Page) -> None:
            held = page.locator(".hold")
            for word in ("pondering for", "afterlife", "dreaming", "constructor", "It is new."):
                await expect(held).to_contain_text(word)
            await expect(page.locator(".wait")).to_contain_text("lobby")
            await expect(page.locator(".incident")).to_contain_text("exploded")

        chromium.visit(it.address, look)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(chromium: Chromium, width: int, scheme: str) -> None:
    scenes = [healthy(), exhausted(), leaking(), blocked(), down(), crowded(30), pool()]
    scenes += [locked(), nearly_full(), silent(), pooled()]
    pools = [{**scene, "name": f"pool-{number}"} for number, scene in enumerate(scenes)]
    with service(*pools) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".pool")).to_have_count(len(pools))
            await expect(page.locator("body")).to_have_css("background-color", PAPER[scheme])
            await page.evaluate(
                "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
            )
            assert await page.evaluate("document.documentElement.scrollWidth") == width

        chromium.visit(it.address, look, width=width, color_scheme=scheme)
