"""What the database server says as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.page.browser import Chromium
from tests.page.documents import pool, server, unanswered
from tests.page.scenes import healthy
from tests.page.servers import nearly_full, pooled, refused, roomy, silent
from tests.page.service import service


async def bar(page: Page) -> Locator:
    """The sessions, all of which stand beside it in words."""
    track = page.locator(".server .track")
    await expect(track).to_be_visible()
    return track


def test_a_pool_whose_server_nobody_asks_has_no_part_for_it(chromium: Chromium) -> None:
    for figures in (pool(server=None), healthy()):  # an older service has no such key
        with service(figures) as it:

            async def look(page: Page) -> None:
                await expect(page.locator(".headline")).to_be_visible()
                await expect(page.get_by_text("Database server")).to_be_hidden()

            chromium.visit(it.address, look)


def test_the_sessions_are_a_bar_against_what_there_may_be(chromium: Chromium) -> None:
    with service(nearly_full()) as it:

        async def look(page: Page) -> None:
            part = page.locator(".server")
            await expect(part.get_by_role("heading")).to_have_text(
                "Database server93 of 100 sessions \u00b7\u00a04\u00a0s\u00a0ago"
            )
            track = await bar(page)
            await expect(track).to_have_accessible_name(
                "Sessions on the database server: 5 ours, active; 14 ours, idle in transaction; "
                "2 ours, in an aborted transaction; 20 ours, idle; 52 others; 4 free; 3 reserved; "
                "100 at most"
            )
            await expect(part.locator(".legend li:visible")).to_have_text(
                [
                    "5ours, active",
                    "14ours, idle in transaction",
                    "2ours, in an aborted transaction",
                    "20ours, idle",
                    "52others",
                    "4free",
                    "3reserved",
                    "100 at most",
                ]
            )
            others = await track.locator(".others").bounding_box()
            mine = await track.locator(".idle").bounding_box()
            assert others is not None
            assert mine is not None
            assert others["width"] / mine["width"] == pytest.approx(52 / 20, rel=0.05)
            await expect(part).to_contain_text("Longest transaction: ours 4.2\u00a0s, others none.")
            await expect(part).to_contain_text("At most 50 of this role and 60 in this database.")
            await expect(page.locator(".state")).to_have_text("Attention")
            await expect(part.locator(".notice")).to_be_hidden()

        chromium.visit(it.address, look)


def test_limits_that_are_no_lower_are_not_mentioned(chromium: Chromium) -> None:
    for limits in ({"role_limit": 97, "database_limit": 500}, {}):
        with service(pool(server=server(**limits))) as it:

            async def look(page: Page) -> None:
                await bar(page)
                await expect(page.locator(".server .small:visible")).to_have_count(1)

            chromium.visit(it.address, look)
    with service(roomy()) as it:

        async def look_again(page: Page) -> None:
            await expect(page.get_by_text("At most 60 in this database.")).to_be_visible()
            await expect(page.locator(".state")).to_have_text("Healthy")

        chromium.visit(it.address, look_again)


def test_a_server_whose_limit_is_not_known_has_sessions_all_the_same(chromium: Chromium) -> None:
    figures = server(ours={"idle": 1}, max_connections=None, role_limit=40)
    with service(pool(server=figures)) as it:

        async def look(page: Page) -> None:
            part = page.locator(".server")
            await expect(part.get_by_role("heading")).to_contain_text("1 session")
            await expect(await bar(page)).to_have_accessible_name(
                "Sessions on the database server: 1 ours, idle"
            )
            await expect(part).to_contain_text("At most 40 of this role.")
            assert "null" not in await part.inner_text()

        chromium.visit(it.address, look)


def test_one_session_of_very_many_is_seen(chromium: Chromium) -> None:
    with service(pool(server=server(ours={"active": 1}, max_connections=20_000))) as it:

        async def look(page: Page) -> None:
            mine = await (await bar(page)).locator(".executing").bounding_box()
            assert mine is not None
            assert mine["width"] >= 3

        chromium.visit(it.address, look)


def test_reserved_connections_that_are_in_use_are_not_free(chromium: Chromium) -> None:
    with service(pool(server=server(others={"active": 98}))) as it:

        async def look(page: Page) -> None:
            await expect(await bar(page)).to_have_accessible_name(
                "Sessions on the database server: 98 others; 2 reserved; 100 at most"
            )

        chromium.visit(it.address, look)


@pytest.mark.parametrize(
    ("figures", "says", "state"),
    [
        (
            silent(),
            "Does not answer the probe: OperationalError: it is starting up or shutting down. "
            "Last answer 34 s ago, 5 failures so far. The application has connections of its own.",
            "In trouble",
        ),
        (
            refused(),
            "Does not answer the probe: ConnectionRefusedError. It has not answered yet, "
            "1 failure so far. The application has connections of its own.",
            "Healthy",
        ),
    ],
)
def test_a_probe_that_gets_no_answer_is_not_the_applications_trouble(
    chromium: Chromium, figures: dict[str, Any], says: str, state: str
) -> None:
    with service(figures) as it:

        async def look(page: Page) -> None:
            await expect(page.locator(".server .notice")).to_have_text(says)
            await expect(page.locator(".server .track")).to_be_hidden()
            await expect(page.locator(".server .legend")).to_be_hidden()
            await expect(page.get_by_text("Longest transaction")).to_be_hidden()
            await expect(page.locator("#trouble")).to_be_hidden()
            await expect(page.locator(".state")).to_have_text(state)

        chromium.visit(it.address, look)


def test_a_server_goes_and_comes_back(chromium: Chromium) -> None:
    with service(nearly_full()) as it:

        async def look(page: Page) -> None:
            await bar(page)
            it.show({**healthy(), "server": unanswered()})
            await expect(page.locator(".server .notice")).to_be_visible()
            await expect(page.get_by_text("93 of 100")).to_be_hidden()
            await expect(page.locator(".state")).to_have_text("Healthy")
            it.show(roomy())
            await expect(page.get_by_text("41 of 100 sessions")).to_be_visible()
            await expect(page.locator(".server .notice")).to_be_hidden()
            it.show(healthy())
            await expect(page.locator(".server")).to_be_hidden()

        chromium.visit(it.address, look)


def test_behind_a_pooler_nothing_is_joined_and_that_is_said(chromium: Chromium) -> None:
    sentence = "Connections go through a pooler such as PgBouncer, so the server\u2019s sessions "
    with service(pooled()) as it:

        async def look(page: Page) -> None:
            said = page.get_by_text(f"{sentence}cannot be joined with holds.")
            await expect(said).to_be_visible()
            await bar(page)
            it.show(roomy())
            await expect(said).to_be_hidden()

        chromium.visit(it.address, look)
