"""Fifty requests at a time for fifteen connections: who gets none is told who has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests.forensics import crowd
from tests.forensics.json_log import Logged
from tests.forensics.running import Running, place
from tests.prometheus.scraped import POOL, Scraped
from tests.support import FakeDatabase, wait_until

CHAT, REPORT, READ = "POST /crowd/chat/{user}", "GET /crowd/report", "GET /crowd/orders/{order}"
CHATS, REPORTS, READS = 9, 6, 35


@dataclass(frozen=True)
class Crowd:
    statuses: list[int]
    caught: list[dict[str, Any]]
    """The exceptions, as the service has seen them."""
    uvicorn_log: str
    log: list[Logged]
    """The warnings about time-outs."""
    pool: dict[str, Any]
    metrics: Scraped


@pytest.fixture(scope="module")
def crowded(service: Running) -> Crowd:
    chats = [service.begin(f"POST /crowd/chat/{user}") for user in range(CHATS)]
    service.slow.wait_for("crowd-chat", CHATS)
    reports = [service.begin("GET /crowd/report") for _ in range(REPORTS)]
    service.slow.wait_for("crowd-report", REPORTS)
    reads = [service.begin(f"GET /crowd/orders/{order}") for order in range(READS)]
    statuses = [read.result(30) for read in reads]
    wait_until(lambda: timed_out_incidents(service) >= READS)
    service.wait_for_log("timed_out", READ)
    wait_until(lambda: tracebacks(service.uvicorn_log.read_text()) >= READS)
    pool, metrics, uvicorn_log = service.pools()[crowd.NAME], service.metrics(), service.uvicorn_log
    service.slow.release("crowd-chat")
    service.slow.release("crowd-report")
    assert {each.result(30) for each in (*chats, *reports)} == {200}
    caught = service.http.get("/crowd/caught").json()
    log = [each for each in service.log() if each.incident == "timed_out"]
    return Crowd(statuses, caught, uvicorn_log.read_text(), log, pool, metrics)


def timed_out_incidents(service: Running) -> int:
    incidents = service.pools()[crowd.NAME]["incidents"]
    return sum(each["count"] for each in incidents if each["kind"] == "timed_out")


def tracebacks(log: str) -> int:
    return len(re.findall(r"^sqlalchemy\.exc\.TimeoutError: QueuePool limit", log, re.MULTILINE))


def assert_names_all_holders(lines: list[str]) -> None:
    """All fifteen, by route and line, those that have held the longest first."""
    assert re.fullmatch(
        rf'pool "{crowd.NAME}": all {crowd.MAX} connections held, (1 caller waits|\d+ callers '
        r"wait), the first for \d+\.\d s",
        lines[0],
    )
    chats = lines.index(next(line for line in lines if line.startswith(f"  {CHATS} x {CHAT}, ")))
    reports = lines.index(
        next(line for line in lines if line.startswith(f"  {REPORTS} x {REPORT}, "))
    )
    assert 0 < chats < reports
    for at, holder, activity in (
        (chats, "chat", "idle in transaction"),
        (reports, "report", "idle"),
    ):
        file, line = place(f"taken: crowd {holder}")
        assert lines[at].endswith(f", taken at {file}:{line} in {holder}")
        assert ", the longest for " in lines[at]
        file, line = place("asks the model")
        assert lines[at + 1].startswith(f"      now {file}:{line} in ask, awaiting httpx/")
        assert lines[at + 2].startswith(f"      {activity} for ")
        assert lines[at + 3].startswith("      -> ")
        assert "close the session before this await, which frees " in lines[at + 3]
    assert len([line for line in lines if re.match(r"  \d+ x ", line)]) == 2


def test_who_gets_no_connection_fails_as_without_us(crowded: Crowd, database: FakeDatabase) -> None:
    bare = error_of_a_full_pool(database)
    expected = str(bare).replace("timeout 0.01", "timeout 1.50")
    assert crowded.statuses == [500] * READS
    assert len(crowded.caught) == READS
    for error in crowded.caught:
        assert error["type"] == "sqlalchemy.exc.TimeoutError"
        assert error["str"] == expected
        assert error["args"] == [bare.args[0].replace("timeout 0.01", "timeout 1.50")]
        assert error["code"] == bare.code
        assert set(error["fields"]) - {"__notes__"} == set(vars(bare))
    print(crowded.caught[-1]["formatted"])


def error_of_a_full_pool(database: FakeDatabase) -> PoolTimeoutError:
    """What an engine raises that nobody observes."""
    options: dict[str, Any] = {**crowd.POOL, "pool_timeout": 0.01}
    engine = database.engine(**options)
    held = [engine.connect() for _ in range(crowd.MAX)]
    with pytest.raises(PoolTimeoutError) as raised:
        engine.connect()
    for connection in held:
        connection.close()
    return raised.value


def test_each_exception_has_one_note_that_names_all_holders(crowded: Crowd) -> None:
    for error in crowded.caught:
        (note,) = error["notes"]
        assert_names_all_holders(note.splitlines())


def test_the_formatted_traceback_ends_with_it(crowded: Crowd) -> None:
    for error in crowded.caught:
        (note,) = error["notes"]
        assert error["formatted"].endswith(f"{error['str']}\n{note}\n")


def test_uvicorns_log_shows_it_too(crowded: Crowd) -> None:
    errors = re.split(r"^sqlalchemy\.exc\.TimeoutError: ", crowded.uvicorn_log, flags=re.MULTILINE)
    assert len(errors) == 1 + READS
    for shown in errors[1:]:
        lines = shown.splitlines()
        begin = next(i for i, line in enumerate(lines) if line.startswith("pool "))
        note = [lines[begin]]
        for line in lines[begin + 1 :]:
            if not line.startswith("  "):
                break
            note.append(line)
        assert_names_all_holders(note)


def test_the_log_warns_once_of_the_crowd(crowded: Crowd) -> None:
    (warning,) = crowded.log
    assert (warning.level, warning.logger) == ("WARNING", "pool_observer.incidents")
    first, *summary = warning.text.splitlines()
    number = warning.extra["pool_observer.count"]
    assert 1 <= number <= READS  # the watchdog may have come by in the middle
    checkouts = "1 checkout" if number == 1 else f"{number} checkouts"
    assert first.startswith(
        f'pool "{crowd.NAME}": {checkouts} timed out, the last of {READ} after '
    )
    assert_names_all_holders(summary)
    assert warning.extra["pool_observer.holder"] == READ
    assert warning.extra["pool_observer.seconds"] >= 1.5


def test_the_page_has_them_all_as_incidents(crowded: Crowd) -> None:
    incidents = [each for each in crowded.pool["incidents"] if each["kind"] == "timed_out"]
    assert sum(each["count"] for each in incidents) == READS
    for each in incidents:
        assert each["holder"] == READ
        assert_names_all_holders(each["text"].splitlines())
    assert crowded.pool["totals"]["timed_out"] == READS
    assert crowded.pool["used"] == crowded.pool["max"] == crowd.MAX


def test_metrics_blame_the_culprits_and_count_the_victims(crowded: Crowd) -> None:
    metrics, pool = crowded.metrics, {POOL: crowd.NAME}
    blamed = metrics.by("holder", "pool_observer_blamed_wait_seconds_total", **pool)
    assert blamed[READ] == 0
    assert blamed[CHAT] / blamed[REPORT] == pytest.approx(CHATS / REPORTS, rel=0.05)
    waited = metrics.one("pool_observer_queue_seconds_total", **pool)
    assert blamed[CHAT] + blamed[REPORT] == pytest.approx(waited, rel=0.05)
    assert waited >= READS * 1.5
    timeouts = metrics.by("holder", "db_client_connection_timeouts_total", **pool)
    assert timeouts == {CHAT: 0, REPORT: 0, READ: READS}
