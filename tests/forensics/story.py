"""All that goes wrong in the service at a time, and what is said of it then and afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from tests.forensics.cases import (
    CASES,
    ENDS_AFTER_THE_RESPONSE,
    STREAMING,
)
from tests.forensics.json_log import Logged
from tests.forensics.running import Running
from tests.forensics.service import APPLICATION
from tests.postgres import Postgres
from tests.prometheus.scraped import Scraped
from tests.support import wait_until

SENTINEL = "GET /sentinel"
LOSING = "POST /lose"


@dataclass(frozen=True)
class Seen:
    """What there was to see at one time."""

    log: list[Logged]
    pools: dict[str, Any]
    metrics: Scraped
    states: dict[int, str]
    """What PostgreSQL says of each of the service's connections, by process."""


@dataclass(frozen=True)
class Story:
    overdue: Seen
    """While all of it lasted."""
    after: Seen
    """When all was over, and the watchdog had come by once more."""
    statuses: dict[str, int]
    """How the requests were answered."""


def told(run: Running, postgres: Postgres) -> Story:
    """Have everything go wrong, wait until it is found, release it, and look again."""
    with ExitStack() as stack:
        database = stack.enter_context(psycopg.connect(_dsn(postgres), autocommit=True))
        database.execute("CREATE TABLE IF NOT EXISTS account (id int PRIMARY KEY, balance int)")
        database.execute("INSERT INTO account VALUES (1, 1), (2, 2) ON CONFLICT DO NOTHING")
        locked = ExitStack()
        locking = locked.enter_context(psycopg.connect(_dsn(postgres)))
        locking.execute("SELECT FROM account FOR UPDATE")
        reading = [stack.enter_context(not_read_on(run, case.request)) for case in STREAMING]
        if not ENDS_AFTER_THE_RESPONSE:
            reading.append(stack.enter_context(not_read_on(run, "GET /download")))
        answers: dict[str, Future[int]] = {}
        for case in CASES:
            if case not in STREAMING:
                answers[case.request] = run.begin(case.request)
            if case.question is not None:
                run.slow.wait_for(case.question)
        answers[LOSING] = run.begin(LOSING)
        with suppress(AssertionError):  # the tests say what is missing
            wait_until(lambda: _expected() <= _found(run, "overdue"))
        overdue = _seen(run, database)
        for case in CASES:
            if case.question is not None:
                run.slow.release(case.question)
        locked.close()
        for response in reading:
            for _ in response.iter_raw():
                pass
        for forgotten in ("POST /give_back", "POST /reports/give_back"):
            run.ask(forgotten)
        with suppress(AssertionError):
            wait_until(lambda: _expected() <= _found(run, "returned"))
        statuses = {request: answer.result(30) for request, answer in answers.items()}
        # Found after all that: so the watchdog has come by, and had nothing more to say of it.
        sentinel = run.begin(SENTINEL)
        run.wait_for_log("overdue", SENTINEL)
        after = _seen(run, database)
        run.slow.release("sentinel")
        sentinel.result(30)
        return Story(overdue, after, statuses)


def _expected() -> Counter[str]:
    """How many holds there are to be found, by holder."""
    return Counter(case.holder for case in CASES)


def _found(run: Running, incident: str) -> Counter[str]:
    return Counter(each.holder or "" for each in run.log() if each.incident == incident)


def _seen(run: Running, database: psycopg.Connection[Any]) -> Seen:
    states = database.execute(
        "SELECT pid, state FROM pg_stat_activity WHERE application_name = %s", (APPLICATION,)
    ).fetchall()
    return Seen(run.log(), run.pools(), run.metrics(), dict(states))


def _dsn(postgres: Postgres) -> str:
    return postgres.url("psycopg").set(drivername="postgresql").render_as_string(False)


@contextmanager
def not_read_on(run: Running, request: str) -> Iterator[httpx.Response]:
    """A response whose first bytes have come, and that nobody reads on."""
    method, path = request.split(" ")
    with run.http.stream(method, path) as response:
        yield response
