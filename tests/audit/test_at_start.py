"""The audit at the start is logged once, when there is all to look at."""

from __future__ import annotations

import gc
import logging

import pytest

from pool_observer import Finding, ServerState, Severity
from pool_observer.audit.at_start import PATIENCE, SETTLED, AuditAtStart
from pool_observer.audit.observed import Said
from pool_observer.audit.turns import Turns
from tests.support import wait_until

FOUND = Finding("capacity", Severity.WARNING, "title", "why", "mend", "orders")


class Start:
    def __init__(
        self,
        server: ServerState | None = None,
        routes: int | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.server = server
        self.routes = routes
        self.said = Said((FOUND,))
        self.asked = 0
        self.failed: list[str] = []
        self.fails = False
        self.at_start = AuditAtStart(
            "orders",
            self.audit,
            lambda: self.server,
            lambda: self.routes,
            self.failed.append,
            turns or Turns(),
        )

    def audit(self) -> Said:
        self.asked += 1
        if self.fails:
            raise RuntimeError("a bug")
        return self.said

    def ticks(self, number: int) -> None:
        for _ in range(number):
            self.at_start.tick()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "pool_observer.audit")
    return caplog


def test_it_waits_for_what_the_server_says(logged: pytest.LogCaptureFixture) -> None:
    start = Start(ServerState(up=False))
    start.ticks(PATIENCE - 1)
    assert start.asked == 0
    start.server = ServerState(up=True, at=1.0)
    start.ticks(3)
    wait_until(lambda: len(logged.records) == 1)
    assert start.asked == 1
    assert logged.records[0].levelname == "WARNING"


@pytest.mark.parametrize("routes", [None, 0])
def test_it_does_not_wait_for_ever(logged: pytest.LogCaptureFixture, routes: int | None) -> None:
    start = Start(ServerState(up=False), routes)
    start.ticks(PATIENCE)
    assert start.asked == 0
    start.ticks(3)
    wait_until(lambda: len(logged.records) == 1)
    assert start.asked == 1


def test_where_nothing_is_to_come_it_does_not_wait(logged: pytest.LogCaptureFixture) -> None:
    start = Start()
    start.ticks(1)
    wait_until(lambda: len(logged.records) == 1)


def test_it_waits_until_no_more_routes_are_added(logged: pytest.LogCaptureFixture) -> None:
    start = Start(routes=0)
    start.ticks(SETTLED + 2)  # the modules with the endpoints are still being imported
    for routes in (1, 5):
        start.routes = routes
        start.ticks(SETTLED)
    assert start.asked == 0
    start.ticks(1)
    wait_until(lambda: len(logged.records) == 1)


@pytest.mark.parametrize(
    ("routes", "elsewhere", "said"),
    [
        (None, False, "nothing to mend in its configuration"),
        (1, False, "nothing to mend in its configuration and 1 endpoint"),
        (12, False, "nothing to mend in its configuration and 12 endpoints"),
        (None, True, "nothing to mend in its configuration, other than what was said of another"),
    ],
)
def test_that_nothing_was_found_is_said(
    logged: pytest.LogCaptureFixture, routes: int | None, elsewhere: bool, said: str
) -> None:
    start = Start(routes=routes)
    start.said = Said((), elsewhere)
    start.ticks(SETTLED + 1)
    wait_until(lambda: len(logged.records) == 1)
    assert logged.records[0].levelname == "INFO"
    assert logged.messages[0].startswith(f'pool "orders": {said}')


def test_the_first_that_was_observed_goes_first(logged: pytest.LogCaptureFixture) -> None:
    turns = Turns()
    first, second = Start(ServerState(up=False), turns=turns), Start(turns=turns)
    second.ticks(3)
    assert second.asked == 0
    first.server = None
    first.ticks(1)
    wait_until(lambda: len(logged.records) == 1)
    second.ticks(1)
    wait_until(lambda: len(logged.records) == 2)


@pytest.mark.parametrize("end", ["closed", "failed", "dropped"])
def test_nobody_waits_for_one_that_is_no_more(logged: pytest.LogCaptureFixture, end: str) -> None:
    turns = Turns()
    first, second = Start(turns=turns), Start(turns=turns)
    if end == "closed":
        first.at_start.leave()
        first.at_start.leave()
    elif end == "failed":
        first.fails = True
        first.ticks(1)
        wait_until(lambda: first.failed == ["the audit"])
    else:
        del first
        gc.collect()
    second.ticks(1)
    wait_until(lambda: len(logged.records) == 1)


def test_a_failure_of_the_audit_is_counted(logged: pytest.LogCaptureFixture) -> None:
    start = Start()
    start.fails = True
    start.ticks(2)
    wait_until(lambda: start.failed == ["the audit"])
    assert logged.records == []
