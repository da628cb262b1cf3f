"""What has gone wrong, as it is logged and remembered."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from pool_observer import (
    Activity,
    BlockedLoop,
    Diagnosis,
    Doing,
    Ending,
    IncidentKind,
    Phase,
    Standing,
    TraceContext,
    Trouble,
)
from pool_observer.incidents import CROWDS_APART_NS, MOST_AT_A_TIME, REMEMBERED, Incidents
from tests.holds import AT, SEND, held_of, hold_of, wait_of
from tests.support import FakeClock

OVERDUE = held_of(
    hold_of(Activity.IN_TRANSACTION, executing=0.2, in_transaction=30.0, phase=Phase.HANDLER),
    Standing(Doing.AWAITING, AT, SEND, SEND),
    Diagnosis(Trouble.IDLE_IN_TRANSACTION, "idle in transaction for 30.0 s", "commit before it"),
)
STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def incidents(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> Incidents:
    caplog.set_level(logging.INFO, "pool_observer")
    return Incidents("orders", clock, lambda: clock.now + 10**18)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in record.__dict__.items() if key not in STANDARD}


def test_an_overdue_hold_is_one_warning(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    incidents.add(IncidentKind.OVERDUE, OVERDUE)
    assert caplog.records == []  # not on the path of whoever has found it
    incidents.tell()
    incidents.tell()
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("pool_observer.incidents", logging.WARNING)
    assert record.message.splitlines() == [
        'pool "orders": POST /chat/{user} has held a connection for 30.2 s, longer than 30.0 s; '
        "taken at app/db.py:12 in get_session",
        "  now app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in AsyncClient.send",
        "  idle in transaction for 30.0 s",
        "  -> commit before it",
    ]
    assert json.loads(json.dumps(fields(record))) == {
        "pool_observer.incident": "overdue",
        "db.client.connection.pool.name": "orders",
        "pool_observer.holder": "POST /chat/{user}",
        "code.file.path": "app/db.py",
        "code.line.number": 12,
        "code.function.name": "get_session",
        "pool_observer.seconds": 30.2,
        "pool_observer.activity": "in_transaction",
        "pool_observer.executing_seconds": 0.2,
        "pool_observer.in_transaction_seconds": 30.0,
        "pool_observer.idle_seconds": 0.0,
        "pool_observer.limit_seconds": 30.0,
        "pool_observer.phase": "handler",
        "pool_observer.backend_pid": 4711,
        "pool_observer.doing": "awaiting",
        "pool_observer.standing": (
            "app/chat.py:41 in chat, awaiting httpx/_client.py:1629 in AsyncClient.send"
        ),
        "pool_observer.diagnosis": "idle_in_transaction",
        "pool_observer.diagnosis_text": "idle in transaction for 30.0 s",
        "pool_observer.mend": "commit before it",
    }


def test_its_return_is_one_line_of_information(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    hold = hold_of(
        idle=41.2, ending=Ending.CHECKIN, limit_reason="export", trace=TraceContext("t", "s", 1)
    )
    incidents.add(IncidentKind.RETURNED, held_of(hold))
    incidents.tell()
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert record.message == (
        'pool "orders": POST /chat/{user} was overdue, returned after 41.2 s; taken at '
        "app/db.py:12 in get_session"
    )
    told = fields(record)
    assert told["pool_observer.ending"] == "checkin"
    assert told["pool_observer.limit_reason"] == "export"
    assert (told["pool_observer.trace_id"], told["pool_observer.span_id"]) == ("t", "s")


def test_what_was_found_too_late_says_so(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    hold = hold_of(idle=30.5, ending=Ending.DETACHED, call_site=None)
    incidents.add(IncidentKind.OVERDUE, held_of(hold))
    incidents.tell()
    assert caplog.messages == [
        'pool "orders": POST /chat/{user} (detached by now) held a connection for 30.5 s, longer '
        "than 30.0 s"
    ]


def test_a_lost_connection_is_a_warning(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    lost = Diagnosis(Trouble.LOST, "dropped", "use with")
    incidents.add(IncidentKind.LOST, held_of(hold_of(idle=1, ending=Ending.LOST), None, lost))
    incidents.tell()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.splitlines() == [
        'pool "orders": POST /chat/{user} lost a connection after 1.0 s; taken at app/db.py:12 in '
        "get_session",
        "  dropped",
        "  -> use with",
    ]


def test_a_crowd_is_logged_up_to_a_bound(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(MOST_AT_A_TIME + 5):
        incidents.add(IncidentKind.OVERDUE, OVERDUE)
    incidents.add_more(IncidentKind.OVERDUE, 1000)
    incidents.tell()
    assert len(caplog.records) == MOST_AT_A_TIME + 1
    assert caplog.messages[-1] == 'pool "orders": overdue: 1005 more connections'
    incidents.tell()
    assert len(caplog.records) == MOST_AT_A_TIME + 1


def test_the_last_incidents_are_remembered_at_once(incidents: Incidents, clock: FakeClock) -> None:
    for number in range(REMEMBERED + 1):
        clock.advance(1)
        incidents.add(IncidentKind.OVERDUE, held_of(hold_of(idle=31, holder=f"GET /{number}")))
    recent = incidents.recent()
    assert [incident.holder for incident in recent[:2]] == [f"GET /{REMEMBERED}", "GET /99"]
    assert len(recent) == REMEMBERED
    assert recent[0].at == pytest.approx(1_000_000_000 + REMEMBERED + 1)
    assert (recent[0].kind, recent[0].seconds, recent[0].count) == (IncidentKind.OVERDUE, 31, 1)


# -- time-outs -------------------------------------------------------------------------------


def test_a_crowd_of_time_outs_is_one_warning_and_one_incident(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    for seconds in (2.0, 2.1):
        incidents.timed_out(wait_of(seconds), f"held after {seconds}")
    incidents.tell()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == (
        'pool "orders": 2 checkouts timed out, the last of GET /health after 2.1 s. Then:\n'
        "held after 2.1"
    )
    assert fields(record) == {
        "pool_observer.incident": "timed_out",
        "pool_observer.count": 2,
        "pool_observer.holder": "GET /health",
        "pool_observer.seconds": 2.1,
        "db.client.connection.pool.name": "orders",
        "code.file.path": "app/health.py",
        "code.line.number": 7,
        "code.function.name": "health",
    }
    (incident,) = incidents.recent()
    assert (incident.count, incident.holder, incident.text) == (2, "GET /health", "held after 2.1")


def test_time_outs_are_logged_once_a_minute(
    incidents: Incidents, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    for expected in (1, 1, 1):
        incidents.timed_out(wait_of(), "held")
        incidents.tell()
        assert len(caplog.records) == expected
    clock.now += CROWDS_APART_NS - 1
    incidents.tell()
    assert len(caplog.records) == 1
    clock.now += 1
    incidents.tell()
    assert "2 checkouts timed out" in caplog.messages[1]
    (incident,) = incidents.recent()
    assert incident.count == 3
    clock.now += CROWDS_APART_NS
    incidents.tell()
    assert len(caplog.records) == 2  # there were no more


def test_time_outs_an_hour_apart_are_two_incidents(incidents: Incidents, clock: FakeClock) -> None:
    for _ in range(2):
        incidents.timed_out(wait_of(), "held")
        incidents.tell()
        clock.advance(3600)
    assert [incident.count for incident in incidents.recent()] == [1, 1]


def test_at_the_end_nothing_is_left_unsaid(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        incidents.timed_out(wait_of(), "held")
        incidents.tell()
    incidents.tell(last=True)
    assert len(caplog.records) == 2


def test_time_outs_of_several_are_nobodys(incidents: Incidents) -> None:
    incidents.timed_out(wait_of(), "held")
    incidents.tell()
    assert incidents.recent()[0].holder == "GET /health"
    incidents.timed_out(wait_of(holder="GET /"), "held")
    incidents.tell()
    (incident,) = incidents.recent()
    assert (incident.holder, incident.call_site) == (None, None)
    incidents.timed_out(wait_of(), "held")
    incidents.tell()
    assert incidents.recent()[0].holder is None


def test_checkouts_that_failed_are_told_by_the_type_of_the_error(
    incidents: Incidents, caplog: pytest.LogCaptureFixture, clock: FakeClock
) -> None:
    for _ in range(2):
        incidents.failed(wait_of(0.5), "OperationalError")
        clock.advance(1)
    incidents.tell()
    assert caplog.messages == [
        'pool "orders": 2 checkouts failed, the last of GET /health after 0.5 s. Then:\n'
        "no connection could be opened for GET /health: OperationalError"
    ]
    (incident,) = incidents.recent()
    assert (incident.kind, incident.count) == (IncidentKind.FAILED, 2)
    assert incident.since == 1_000_000_000
    assert incident.at == 1_000_000_001


def test_failures_and_time_outs_are_two_incidents(incidents: Incidents) -> None:
    incidents.timed_out(wait_of(), "held")
    incidents.failed(wait_of(), "OSError")
    kinds = [incident.kind for incident in incidents.recent()]
    assert kinds == [IncidentKind.FAILED, IncidentKind.TIMED_OUT]


def test_a_loop_that_was_blocked_is_told(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    incidents.loop_blocked(BlockedLoop(4.2, Standing(Doing.RUNNING, AT)))
    incidents.loop_blocked(BlockedLoop(1, None))
    incidents.tell()
    assert caplog.messages == [
        'pool "orders": an event loop was blocked for 4.2 s or more: app/chat.py:41 in chat',
        'pool "orders": an event loop was blocked for 1.0 s or more',
    ]
    assert fields(caplog.records[0])["pool_observer.incident"] == "loop_blocked"
    assert [incident.call_site for incident in incidents.recent()] == [None, AT]


def test_after_a_fork_there_is_nothing_to_tell(
    incidents: Incidents, caplog: pytest.LogCaptureFixture
) -> None:
    incidents.add(IncidentKind.OVERDUE, OVERDUE)
    incidents.timed_out(wait_of(), "held")
    incidents.reset_after_fork()
    incidents.tell(last=True)
    assert (caplog.records, incidents.recent()) == ([], [])


def test_whoever_tells_is_not_disturbed(incidents: Incidents) -> None:
    """A handler that looks into the pool makes us come by again."""
    told: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())
            incidents.tell()

    logger, handler = logging.getLogger("pool_observer.incidents"), Handler()
    logger.addHandler(handler)
    try:
        for _ in range(2):
            incidents.add(IncidentKind.OVERDUE, OVERDUE)
        incidents.tell()
    finally:
        logger.removeHandler(handler)
    assert len(told) == 2
