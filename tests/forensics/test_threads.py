"""Endpoints in threads, with sessions of sync dependencies: each hold shows its own line."""

from __future__ import annotations

from typing import Any

from tests.forensics.cases import DAILY, YEARLY
from tests.forensics.running import Running, place
from tests.forensics.story import Story
from tests.support import wait_until


def holds(run: Running, holder: str) -> list[dict[str, Any]]:
    pool = run.pools()["reports"]
    return [hold for hold in pool["holds"] if hold["holder"] == holder]


def line_of(hold: dict[str, Any]) -> int | None:
    """The line at which its holder stands."""
    site = (hold["standing"] or {}).get("at")
    return None if site is None else int(site["line"])


def test_two_in_one_endpoint_at_a_time_show_each_its_own_line(story: Story) -> None:
    holds = [
        hold for hold in story.overdue.pools["reports"]["holds"] if hold["holder"] == DAILY.holder
    ]
    # The longest held comes first, and that is who has asked first.
    assert [line_of(hold) for hold in holds] == [
        place(case.stands)[1] for case in (DAILY, YEARLY) if case.stands is not None
    ]


def test_a_thread_that_serves_another_request_by_now_is_not_taken_for_the_first(
    service: Running,
) -> None:
    # The dependencies of both requests run in one thread, in which the second then stands,
    # while the first waits for something else and goes on in another.
    holder = "GET /tenants/{tenant}"
    first = service.begin("GET /tenants/first")
    service.slow.wait_for("may-first")
    service.slow.release("may-second")
    second = service.begin("GET /tenants/second")
    service.slow.wait_for("second")
    lines = {name: place(f"stands: {name}")[1] for name in ("first", "second")}
    try:
        longest, shortest = holds(service, holder)
        assert line_of(longest) == place("asks the model")[1]
        assert line_of(shortest) == lines["second"]
        service.slow.release("may-first")
        service.slow.wait_for("first")
        longest, shortest = holds(service, holder)
        assert line_of(longest) in (None, lines["first"])
        assert line_of(shortest) in (None, lines["second"])
    finally:
        for question in ("may-first", "first", "second"):
            service.slow.release(question)
        assert (first.result(30), second.result(30)) == (200, 200)
    wait_until(lambda: not holds(service, holder))


def test_who_goes_on_in_another_thread_is_found_there(service: Running) -> None:
    # As before, but the thread of its dependency does something else entirely.
    holder = "GET /tenants/{tenant}"
    request = service.begin("GET /tenants/third")
    service.slow.wait_for("may-third")
    other = service.begin("GET /invoices/1")
    service.slow.wait_for("invoice")
    try:
        service.slow.release("may-third")
        service.slow.wait_for("third")
        (hold,) = holds(service, holder)
        assert line_of(hold) == place("stands: third")[1]
    finally:
        for question in ("may-third", "third", "invoice"):
            service.slow.release(question)
        assert (request.result(30), other.result(30)) == (200, 200)
