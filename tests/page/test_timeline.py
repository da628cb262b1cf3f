"""The last minutes, as they are drawn."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import pool, timeline
from tests.page.scenes import down, exhausted
from tests.page.service import service


async def drawn(page: Page, name: str) -> str:
    """What a line of the chart is made of."""
    path = await page.locator(f".timeline path.{name}").first.get_attribute("d")
    assert path is not None
    return path


def test_each_second_is_drawn(chromium: Chromium) -> None:
    with service(exhausted()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator("figcaption")).to_contain_text("at most 27 waiting")
            held = [await drawn(page, name) for name in ("executing", "in-transaction", "idle")]
            waiting = await drawn(page, "waiting:not(.halo)")
            for area in held[:2]:
                assert area.startswith("M")
                assert area.endswith("Z")
                assert area.count("H") == 301  # and back to the start
            assert held[0] != held[1]
            assert held[1] == held[2]  # nothing is idle on top of it
            assert waiting.count("H") == 53  # the seconds in which somebody waited
            assert waiting not in held
            assert await drawn(page, "halo") == waiting
            assert (await drawn(page, "timed-out")).count("z") == 3
            assert await drawn(page, "failed") == ""
            await expect(page.locator(".timeline text.over").first).to_have_text("max 15")

        chromium.visit(it.address, look)


def test_another_second_is_another_picture(chromium: Chromium) -> None:
    with service(pool(timeline=timeline(60, executing=[1.0] * 60))) as it:

        async def look(page: Page) -> None:
            await expect(page.locator("figcaption")).to_contain_text("at most 1 of 15")
            before = await drawn(page, "executing")
            it.show(pool(timeline=timeline(60, executing=[1.0] * 59 + [3.0])))
            await expect(page.locator("figcaption")).to_contain_text("at most 3 of 15")
            assert await drawn(page, "executing") != before

        chromium.visit(it.address, look)


def test_failures_have_marks_of_their_own(chromium: Chromium) -> None:
    with service(down()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator("figcaption")).to_contain_text("0 time-outs, 8 failed.")
            assert (await drawn(page, "failed")).count("M") == 8
            assert await drawn(page, "timed-out") == ""
            entries = page.locator(".timeline .legend li:visible")
            await expect(entries.last).to_have_text("failed")

        chromium.visit(it.address, look)


def test_a_long_queue_is_cut_off_and_said_to_be(chromium: Chromium) -> None:
    short, long = (timeline(60, waiting=[0] * 30 + [count] * 30) for count in (30, 400))
    with service(pool(timeline=short)) as it:

        async def look(page: Page) -> None:
            cut = page.locator(".timeline text.over").last
            await expect(page.locator("figcaption")).to_contain_text("at most 30 waiting")
            await expect(cut).to_have_text("")
            it.show(pool(timeline=long))
            await expect(cut).to_have_text("cut off, up to 400 waiting")

        chromium.visit(it.address, look)


def test_the_timeline_tells_what_is_pointed_at(chromium: Chromium) -> None:
    figures = timeline(60, executing=[0.5] * 59 + [2], waiting=[0] * 59 + [7])
    with service(pool(timeline=figures)) as it:

        async def look(page: Page) -> None:
            chart, caption = page.locator(".timeline svg"), page.locator("figcaption")
            await expect(caption).to_have_text(
                "Last minute: at most 2 of 15 connections held, at most 7 waiting, 0 time-outs."
            )
            box = await chart.bounding_box()
            assert box is not None
            await chart.hover(position={"x": box["width"] - 6, "y": 50})
            await expect(caption).to_contain_text(
                "2 executing, 0 in transaction, 0 idle, 7 waiting"
            )
            await page.mouse.move(0, 0)
            await expect(caption).to_contain_text("Last minute")

        chromium.visit(it.address, look)
