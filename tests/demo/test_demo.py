"""The demo as a whole, with fewer users and a faster model."""

from __future__ import annotations

import re
from pathlib import Path

from pool_observer.demo.counted import CHAT, ITEMS, NAIVE_CHAT
from pool_observer.demo.database import SUPERUSER
from pool_observer.demo.figures import Kind
from pool_observer.demo.run import USER_OF_DATABASE
from pool_observer.monitoring.files import dashboard_files
from pool_observer.monitoring.settings import Settings
from tests.conftest import require
from tests.demo.conftest import Shown


def test_the_report_names_the_naive_route_its_line_and_its_await(shown: Shown) -> None:
    report = shown.text.split("of the first time-outs:\n")[1].split("\n\n")[0]
    said = " ".join(report.split())
    assert 'pool "llm": all 15 connections held' in said
    assert re.search(r"\d+ x POST /naive/chat/\{user_id\}, the longest for", said)
    assert re.search(r"taken at llm_service/chat_naive.py:\d+ in chat ", said)
    assert re.search(
        r"now llm_service/model.py:\d+ in .+, awaiting asyncio/tasks.py:\d+ in sleep", said
    )
    assert "-> commit or close the session before this await" in said


def test_the_naive_act_has_time_outs_and_the_fixed_act_has_none(shown: Shown) -> None:
    assert shown.naive.figures.timed_out > 0
    assert shown.fixed.figures.timed_out == 0
    assert shown.naive.most_connections == 15
    assert shown.naive.counted.blamed_seconds.most_common(1)[0][0] == NAIVE_CHAT


def test_users_and_metrics_count_the_same_time_outs(shown: Shown) -> None:
    figures, counted = shown.naive.figures, shown.naive.counted
    assert counted.timed_out[NAIVE_CHAT] == figures.of(Kind.CHAT).timed_out
    assert counted.timed_out[ITEMS] == figures.of(Kind.ITEM).timed_out
    assert shown.fixed.counted.timed_out.total() == 0


def test_users_and_metrics_count_the_same_requests(shown: Shown) -> None:
    naive, fixed = shown.naive, shown.fixed
    for holder, kind in ((NAIVE_CHAT, Kind.CHAT), (ITEMS, Kind.ITEM)):
        given = naive.counted.checkouts[holder] + naive.counted.timed_out[holder]
        assert given == len(naive.figures.of(kind).requests)
    assert fixed.counted.checkouts[ITEMS] == len(fixed.figures.of(Kind.ITEM).requests)
    # One to read, and where the model has answered one to write, and one for its usage.
    chats = fixed.figures.of(Kind.CHAT)
    assert fixed.counted.checkouts[CHAT] == len(chats.requests) + 2 * chats.answered


def test_every_request_of_the_fixed_act_is_answered_or_refused_by_the_model(shown: Shown) -> None:
    assert set(shown.fixed.figures.statuses) <= {200, 429}
    assert shown.fixed.figures.answered > shown.naive.figures.answered


def test_it_fits_eighty_columns_and_needs_no_terminal(shown: Shown) -> None:
    assert max(map(len, shown.text.splitlines())) <= 80
    assert "\x1b" not in shown.text
    assert "\r" not in shown.text


def test_the_live_page_is_announced_before_anything_else_happens(shown: Shown) -> None:
    assert re.match(r"Starting .*\n\nLive page: http://127.0.0.1:\d+/debug/pools\n", shown.text)


def test_alerts_fire_in_the_naive_act_only(shown: Shown) -> None:
    require(shown.with_prometheus, "prometheus (Debian: prometheus)")
    fired = " ".join(shown.text.split("Alerts that fired, ")[1].split())
    assert "ConnectionPoolExhausted" in fired
    assert "Alerts that fired, fixed: none" in shown.text


def test_the_fixed_act_goes_through_pgbouncer(shown: Shown) -> None:
    require(shown.with_pgbouncer, "pgbouncer (Debian: pgbouncer)")
    assert "behind PgBouncer in transaction mode." in shown.text


def test_the_service_is_no_superuser_of_the_database(shown: Shown) -> None:
    assert shown.database.username == USER_OF_DATABASE != SUPERUSER


def test_what_is_kept_can_be_looked_at(shown: Shown) -> None:
    assert "<html" in shown.kept["live page"]
    assert 'holder="POST /chat/{user_id}"' in shown.kept["metrics"]
    assert ("Prometheus" in shown.kept) is shown.with_prometheus
    assert set(shown.dashboards) == set(dashboard_files(Settings()))


def test_the_documentation_shows_what_is_printed(shown: Shown) -> None:
    page = (Path(__file__).parents[2] / "docs" / "demo.md").read_text()
    printed = page.split("```text\n")[1].split("```")[0]

    def labels(text: str) -> list[str]:
        return re.findall(r"^(?:[12]\. .+|[A-Za-z][\w ,/]+?)(?=  |$)", text, re.MULTILINE)

    assert labels(printed) == [each for each in labels(shown.text) if each in labels(printed)], (
        "the output has changed: put a real one into docs/demo.md"
    )
    assert {"CRUD p95", "held, and not executing"} <= set(labels(printed))
