"""Names that want to be more than names."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.browser import Chromium
from tests.page.documents import (
    CHAT,
    blocker,
    hold,
    incident,
    pool,
    route,
    server,
    session,
    unanswered,
    wait,
)
from tests.page.service import service

MARKUP = "<img src=x onerror=\"document.title='hit'\">"
SCRIPT = "</script><script>document.title='hit'</script>"
NAMES = [
    MARKUP,
    SCRIPT,
    "<style>*{display:none}</style>",
    "javascript:document.title='hit'",
    "'\"><svg onload=document.title='hit'>",
    "{{constructor.constructor('document.title=1')()}}",
    "\u202eGET /evil\u202c \u2066 \u200f\u05d0\u05d1\u05d2",
    "GET /" + "x" * 2000,
    "GET /" + "wide \U0001f9d1\u200d\U0001f680 " * 200,
    "GET /a\n\r\t\x00\x1b[31mb",
    "a\u0301\u0302\u0303" * 50,
    "__proto__",
    "\ud800",
    "",
]


def full_of(name: str) -> dict[str, Any]:
    """A pool where everything that is a string is that name."""
    place = {"file": name, "line": 1, "function": name}
    standing = {"doing": "awaiting", "at": place, "calling": place, "innermost": place}
    diagnosis = {"kind": name, "text": name, "mend": f"{name} `{name}`"}
    words = {"holder": name, "call_site": place, "trace_id": name}
    whose = blocker(holder=name, state=name)
    client = blocker(user=name, application=name, state=name)
    odd = {
        **words,
        "standing": standing,
        "diagnosis": diagnosis,
        "phase": name,
        "server": session(state=name, waits_for=name, blocked_by=[client], blocks=1, text=name),
    }
    late = {**odd, "overdue": True, "limit_reason": name}
    figures = pool(
        name,
        holds=[
            hold(1, **late),
            hold(2, **{**odd, "holder": f"{name}!"}),
            hold(3, **{**late, "server": session(waits_for=name, blocked_by=[whose])}),
        ],
        waits=[wait(1, holder=name, call_site=place, nested_in=place)],
        holders={"window_seconds": 300.0, "rows": [route(name, 1.0), route(f"{name}!", 1.0)]},
        incidents=[incident(name, holder=name, call_site=place, text=f"{name}\n{name}")],
        event_loop={"lag_seconds": 0.1, "blocked": [{"seconds": 2.0, "standing": standing}]},
        server=unanswered(name),
    )
    figures["settings"] |= {"pool_class": name, "dialect": name, "driver": name}
    return figures


@pytest.mark.parametrize("width", [360, 1440])
def test_a_hostile_name_stays_text(chromium: Chromium, width: int) -> None:
    with service(*(full_of(name) for name in NAMES)) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".pool")).to_have_count(len(NAMES))
            for shown in (".pool h2", ".pool .hold:first-child .holder"):
                texts = await page.locator(shown).all_text_contents()
                assert texts == NAMES
            await page.evaluate(
                "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
            )
            assert await page.evaluate("document.documentElement.scrollWidth") == width
            odd = page.locator("main img, main script, main style, [onload], [onerror]")
            await expect(odd).to_have_count(0)
            await expect(page.locator(".pool").last).to_be_visible()
            assert await page.title() != "hit"

        chromium.visit(it.address, look, width=width)


def test_a_server_that_says_hostile_things_is_text(chromium: Chromium) -> None:
    """States and owners that nobody knows, named like what every object has among others."""
    figures = server()
    figures["sessions"] = [
        {"owner": owner, "state": name, "count": 1} for name in NAMES for owner in (name, "ours")
    ]
    with service(pool(server=figures)) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".server .track")).to_have_accessible_name(
                f"Sessions on the database server: {len(NAMES)} ours, in a state that may not be "
                f"seen; {len(NAMES)} others; 69 free; 3 reserved; 100 at most"
            )

        chromium.visit(it.address, look)


def test_a_name_from_right_to_left_turns_nothing_else(chromium: Chromium) -> None:
    """The place after it stands right of it, as after any other name."""
    turning = hold(1, holder="\u202e\u05d0\u05d1 GET /turned", standing=None, call_site=CHAT)
    with service(pool(holds=[turning], max=1)) as it:

        async def look(page: Page) -> None:
            because = page.locator(".situation .because").last
            await expect(because).to_contain_text("has held one for 4.0 s")
            name = await because.locator("bdi").first.bounding_box()
            rest = await because.evaluate(
                "(node) => { const range = new Range();"
                " range.selectNodeContents(node.childNodes[1]);"
                " return range.getBoundingClientRect().left; }"
            )
            assert name is not None
            assert rest >= name["x"] + name["width"] - 1

        chromium.visit(it.address, look)


def test_the_page_is_protected_even_from_itself(chromium: Chromium) -> None:
    """What would parse a name as HTML, should anybody ever write it, is refused."""
    with service() as it:

        async def look(page: Page) -> None:
            for attempt in (
                "document.body.innerHTML = '<b>'",
                "document.body.append(Object.assign(document.createElement('script'),"
                " { textContent: 'document.title = 1' }))",
            ):
                await page.evaluate(f"() => {{ try {{ {attempt} }} catch {{}} }}")
            assert await page.locator("main").count() == 1
            assert await page.title() != "1"
            assert await page.evaluate("window.violations.length") >= 2
            await page.evaluate("window.violations = []")

        chromium.visit(it.address, look, may_complain="")
