"""A service whose event loop is blocked: the log says so, and where, though nobody can ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.forensics.json_log import Logged, about
from tests.forensics.running import place, running
from tests.postgres import Postgres
from tests.prometheus.scraped import Scraped

BLOCKING, BYSTANDER = "GET /block", "POST /chat/{user}"
HOLDERS = (BLOCKING, BYSTANDER)

LEAK_AFTER = 2.5
"""Long enough to be sure that the loop is blocked before anything is overdue: the watchdog asks
it once a second, and believes it a second later."""


@dataclass(frozen=True)
class Blocked:
    during: list[Logged]
    unanswered: Exception | None
    """What came of a request meanwhile."""
    after: list[Logged]
    pool: dict[str, Any]
    """The JSON, afterwards."""
    metrics: Scraped


@pytest.fixture(scope="module")
def blocked(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blocked]:
    folder = tmp_path_factory.mktemp("blocked")
    with running(postgres, folder, leak_after=LEAK_AFTER) as run:
        chatting = run.begin("POST /chat/7")
        run.slow.wait_for("chat")
        blocking = run.begin(BLOCKING)
        run.slow.wait_for("block")
        for holder in HOLDERS:
            run.wait_for_log("overdue", holder)
        unanswered = None
        try:
            run.http.get("/ready", timeout=0.1)
        except httpx.TimeoutException as error:
            unanswered = error
        during = run.log()
        run.slow.release_all()
        assert (blocking.result(30), chatting.result(30)) == (200, 200)
        for holder in HOLDERS:
            run.wait_for_log("returned", holder)
        yield Blocked(during, unanswered, run.log(), run.pools()["orders"], run.metrics())


def the_warning(blocked: Blocked, holder: str) -> Logged:
    (warning,) = about(blocked.during, "overdue", holder)
    return warning


def the_line() -> str:
    file, line = place("stands: block")
    return f"{file}:{line} in block, in threading.py:"


def test_the_warning_came_while_nobody_was_answered(blocked: Blocked) -> None:
    assert isinstance(blocked.unanswered, httpx.ReadTimeout)
    told = [each.incident for each in blocked.during if each.incident is not None]
    assert told == ["overdue", "overdue"]


def test_who_blocks_the_loop_is_told_so_and_where(blocked: Blocked) -> None:
    warning = the_warning(blocked, BLOCKING)
    taken, now, says, mend = warning.text.splitlines()
    file, line = place("taken: block")
    assert taken.endswith(f"; taken at {file}:{line} in block")
    assert now.startswith("  now ")
    assert the_line() in now
    assert says.startswith("  blocking its event loop for ")
    assert the_line() in says
    assert mend.startswith("  -> move what blocks into a thread: `await asyncio.to_thread(")
    assert warning.extra["pool_observer.diagnosis"] == "loop_blocked"
    assert warning.extra["pool_observer.doing"] == "running"


def test_who_only_suffers_is_told_who_blocks_its_loop(blocked: Blocked) -> None:
    warning = the_warning(blocked, BYSTANDER)
    taken, now, says, _ = warning.text.splitlines()
    file, line = place("taken: chat")
    assert taken.endswith(f"; taken at {file}:{line} in chat")
    file, line = place("asks the model")
    assert now.startswith(f"  now {file}:{line} in ask, awaiting httpx/_client.py:")
    assert says.startswith("  its event loop is blocked for ")
    assert the_line() in says
    assert warning.extra["pool_observer.diagnosis"] == "loop_blocked"
    assert warning.extra["pool_observer.doing"] == "blocked"


def test_all_is_told_once_and_is_over_afterwards(blocked: Blocked) -> None:
    for holder in HOLDERS:
        told = [each.incident for each in blocked.after if each.holder == holder]
        assert told == ["overdue", "returned"]
        gauge = blocked.metrics.one("pool_observer_overdue_connections", holder=holder)
        assert gauge == 0
        assert blocked.metrics.one("pool_observer_overdue_total", holder=holder) == 1
    assert blocked.pool["holds"] == []
    incidents = {(each["kind"], each["holder"]) for each in blocked.pool["incidents"]}
    expected = {(kind, holder) for kind in ("overdue", "returned") for holder in HOLDERS}
    assert incidents == expected | {("loop_blocked", None)}


def test_afterwards_it_is_known_what_has_blocked_the_loop(blocked: Blocked) -> None:
    (incident,) = [each for each in blocked.pool["incidents"] if each["kind"] == "loop_blocked"]
    assert incident["text"].startswith("an event loop was blocked for ")
    assert the_line() in incident["text"]
    assert any(each.incident == "loop_blocked" for each in blocked.after)


def test_the_lag_is_measured_and_exported(blocked: Blocked) -> None:
    lag = blocked.metrics.one("pool_observer_event_loop_lag_seconds", **OF_ORDERS)
    assert lag >= 1
    assert blocked.pool["event_loop"]["lag_seconds"] >= 1
    assert blocked.pool["event_loop"]["blocked"] == []
    assert blocked.metrics.total("pool_observer_internal_errors_total") == 0


OF_ORDERS = {"db_client_connection_pool_name": "orders"}
