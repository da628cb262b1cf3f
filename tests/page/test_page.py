"""The live page in a real browser: what it shows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import hold, incident, pool, timeline, wait
from tests.page.scenes import blocked, crowded, exhausted, healthy, leaking
from tests.page.service import service


def test_an_exhausted_pool_says_who_holds_it_and_who_waits(chromium: Chromium) -> None:
    with service(blocked()) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".headline")).to_have_text(
                "15 of 15 connections used, 25 waiting, the first for 4.0 s"
            )
            await expect(page.locator(".state")).to_have_text("In trouble")
            because = page.locator(".situation .because").last
            await expect(because).to_contain_text(
                "POST /chat/{id} holds 12 of them: idle in transaction for 3.4 s."
            )
            await expect(page.locator(".blocked")).to_contain_text(
                "The event loop has been blocked for 3.2 s. Nobody is served meanwhile. It stands "
                "at app/reports.py:88 in build, blocked in pandas/io/excel.py:410 in to_excel."
            )
            chats = page.locator(".hold", has_text="POST /chat/{id}")
            await expect(chats).to_have_count(1)
            await expect(chats).to_contain_text("12 \u00d7")
            await expect(chats).to_contain_text(
                "now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in send"
            )
            nested = page.locator(".wait", has=page.locator(".nested:visible"))
            await expect(nested).to_contain_text("5 \u00d7")
            await expect(nested).to_contain_text("the first was taken at app/chat.py:30 in chat")
            await expect(
                page.get_by_role("img", name="at most 27 waiting, 3 time-outs")
            ).to_be_visible()
            await expect(
                page.get_by_role("img", name="3 executing, 12 in transaction")
            ).to_be_visible()
            row = page.get_by_role("row", name="POST /chat/{id}")
            await expect(row.get_by_role("cell")).to_have_text(
                [
                    re.compile(r"^9\.7"),
                    re.compile(r"^90\s%"),
                    re.compile(r"^8\smin\s32\ss"),
                    re.compile("^1"),
                ]
            )

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


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(chromium: Chromium, width: int, scheme: str) -> None:
    scenes = (healthy(), exhausted(), leaking(), blocked(), crowded(30), pool())
    pools = [{**scene, "name": f"pool-{number}"} for number, scene in enumerate(scenes)]
    with service(*pools) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".pool")).to_have_count(len(pools))
            await page.evaluate(
                "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
            )
            assert await page.evaluate("document.documentElement.scrollWidth") == width

        chromium.visit(it.address, look, width=width, color_scheme=scheme)


def test_one_that_is_not_given_back_is_told_before_it_is_overdue(chromium: Chromium) -> None:
    left = {"kind": "finished", "text": "its request is over", "mend": "return it"}
    with service(pool(holds=[hold(1, seconds=8.0, diagnosis=left)])) as it:

        async def look(page: Page) -> None:
            situation = page.locator(".situation")
            await expect(situation).to_contain_text("Attention")
            await expect(situation).to_contain_text("1 has not been given back.")
            await expect(situation).to_contain_text(
                "POST /chat/{id} has held one for 8.0 s: its request is over."
            )
            await expect(situation).to_contain_text("Return it.")

        chromium.visit(it.address, look)


def test_what_is_over_is_trouble_no_more(chromium: Chromium) -> None:
    """Time-outs are told for a minute, and are trouble for ten seconds."""
    past = timeline(60, timed_out=[0] * 30 + [2] + [0] * 29)
    now = timeline(60, timed_out=[0] * 55 + [2] + [0] * 4)
    with service(pool("past", timeline=past), pool("now", timeline=now)) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".state")).to_have_text(["Attention", "In trouble"])
            notes = page.get_by_text("2 gave up waiting in the last minute.")
            await expect(notes).to_have_count(2)

        chromium.visit(it.address, look)
