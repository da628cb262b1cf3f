"""Waits and holds as spans: exactly what they were."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import expect_long_hold, holding
from pool_observer.model import Occupant, Outcome, Stage, Wait
from pool_observer.opentelemetry.conventions import Conventions
from pool_observer.opentelemetry.scope import SCOPE
from pool_observer.opentelemetry.spans import SpanRecorder
from tests.opentelemetry.bench import POOL, SECOND, Bench, bench_of
from tests.opentelemetry.told import Told
from tests.support import FakeDatabase


@pytest.fixture
def bench(database: FakeDatabase, told: Told) -> Iterator[Bench]:
    with bench_of(database, told) as bench:
        yield bench


def events(span: Any) -> list[tuple[str, int]]:
    return [(event.name, event.timestamp) for event in span.events]


def test_a_wait_and_a_hold_are_children_of_the_span_that_asked(bench: Bench) -> None:
    bench.engine.dispose()
    bench.database.work = lambda _: bench.clock.advance(1)  # connect, statement, commit
    with bench.told.tracer.start_as_current_span("request") as request:
        bench.clock.advance(10)
        with holding("POST /chat/{id}"):
            connection = bench.engine.connect()
    with bench.told.tracer.start_as_current_span("another"):
        connection.execute(text("SELECT 1"))
        bench.clock.advance(1)
        connection.commit()
        bench.clock.advance(4)
        bench.database.work = lambda _: None
        connection.close()

    wait, hold = bench.span("pool wait"), bench.span("connection hold")
    for span in (wait, hold):
        assert span.context.trace_id == request.get_span_context().trace_id
        assert span.parent.span_id == request.get_span_context().span_id
        assert span.kind is trace.SpanKind.INTERNAL
        assert span.status.status_code is StatusCode.UNSET
    assert not wait.parent.is_remote
    assert (wait.start_time, wait.end_time) == (bench.at(10), bench.at(11))
    assert (hold.start_time, hold.end_time) == (bench.at(11), bench.at(18))
    assert events(wait) == [("connect start", bench.at(10))]
    assert events(hold) == [("first statement", bench.at(11)), ("commit", bench.at(14))]

    line = {
        "code.file.path": "tests/opentelemetry/test_spans.py",
        "code.function.name": "test_a_wait_and_a_hold_are_children_of_the_span_that_asked",
    }
    who = {
        "db.system.name": "sqlite",
        POOL: "orders",
        "holder": "POST /chat/{id}",
        "http.request.method": "POST",
        "http.route": "/chat/{id}",
    }
    found = dict(wait.attributes)
    assert found.pop("code.line.number") == hold.attributes["code.line.number"] > 0
    assert found == {
        **line,
        **who,
        "pool_observer.outcome": "acquired",
        "pool_observer.queue_seconds": 0.0,
        "pool_observer.connect_seconds": 1.0,
        "pool_observer.ping_seconds": 0.0,
        "pool_observer.nested": False,
    }
    found = dict(hold.attributes)
    del found["code.line.number"]
    assert found == {
        **line,
        **who,
        "pool_observer.executing_seconds": 2.0,
        "pool_observer.in_transaction_seconds": 1.0,
        "pool_observer.idle_seconds": 4.0,
        "pool_observer.waited_seconds": 1.0,
        "pool_observer.ending": "checkin",
        "pool_observer.overdue": False,
        "pool_observer.lost": False,
        "pool_observer.limit_seconds": 30.0,
    }


def test_a_time_out_is_an_error_and_says_who_held_the_connections(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding("POST /chat"):
        held = [bench.engine.connect() for _ in range(2)]
    _have_queue_wait(bench, monkeypatch, seconds=1)
    with pytest.raises(PoolTimeoutError), holding("GET /health"):
        bench.engine.connect()
    for connection in held:
        connection.close()
    late = [span for span in bench.spans("pool wait") if span.attributes["holder"] == "GET /health"]
    (wait,) = late
    assert (wait.start_time, wait.end_time) == (bench.at(0), bench.at(1))
    assert wait.status.status_code is StatusCode.ERROR
    assert wait.status.description == "the pool had no connection within its time-out"
    assert wait.attributes["error.type"] == "timed_out"
    assert wait.attributes["pool_observer.outcome"] == "timed_out"
    assert wait.attributes["pool_observer.queue_seconds"] == 1.0
    (occupant,) = wait.attributes["pool_observer.held_by"]
    assert occupant.startswith("2 x POST /chat at tests/opentelemetry/test_spans.py:")
    assert events(wait) == [("queue start", bench.at(0))]


def _have_queue_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have callers wait for so long before they give up."""
    queue: Any = bench.engine.pool._pool  # type: ignore[attr-defined]

    def get(block: bool = True, timeout: float | None = None) -> Any:
        bench.clock.advance(seconds)
        return type(queue).get(queue, False)

    monkeypatch.setattr(queue, "get", get)


@pytest.mark.parametrize(("seconds", "is_told"), [(0.0099, False), (0.01, True)])
def test_who_queued_for_a_moment_only_is_not_told_who_held_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, seconds: float, is_told: bool
) -> None:
    held = [bench.engine.connect() for _ in range(2)]
    _have_queue_wait(bench, monkeypatch, seconds)
    with pytest.raises(PoolTimeoutError):
        bench.engine.connect()
    for connection in held:
        connection.close()
    waits = [dict(span.attributes) for span in bench.spans("pool wait")]
    (late,) = [wait for wait in waits if wait["pool_observer.outcome"] == "timed_out"]
    assert ("pool_observer.held_by" in late) is is_told


def test_connections_of_a_pool_that_was_replaced_are_in_nobodys_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding("old"), bench.engine.connect():
        bench.engine.dispose()
        with holding("new"), bench.engine.connect(), bench.engine.connect():
            _have_queue_wait(bench, monkeypatch, seconds=1)
            with pytest.raises(PoolTimeoutError), holding("late"):
                bench.engine.connect()
    (late,) = [s for s in bench.spans("pool wait") if s.attributes["holder"] == "late"]
    (occupant,) = late.attributes["pool_observer.held_by"]
    assert occupant.startswith("2 x new at ")


def test_who_held_them_is_told_in_short(bench: Bench) -> None:
    occupants = tuple(Occupant(f"GET /{number}", None, 2) for number in range(12))
    wait = Wait("orders", "GET /", None, 0, Outcome.TIMED_OUT, Stage.QUEUE, SECOND, 0, 0)
    told = bench.told
    SpanRecorder(told.tracer_provider.get_tracer(SCOPE), 0, Conventions({}), "sqlite").wait_ended(
        replace(wait, held_by=occupants)
    )
    (span,) = told.spans()
    assert span.attributes is not None
    held_by = span.attributes["pool_observer.held_by"]
    assert held_by == (*[f"2 x GET /{number}" for number in range(10)], "4 x others")


def test_a_connection_that_cannot_be_opened_is_an_error(bench: Bench) -> None:
    bench.engine.dispose()

    def refuse(_: str) -> None:
        raise bench.database.OperationalError(  # type: ignore[attr-defined]
            "password for secret-user is wrong"
        )

    bench.database.work = refuse
    with pytest.raises(OperationalError):
        bench.engine.connect()
    wait = bench.span("pool wait")
    assert wait.status.status_code is StatusCode.ERROR
    assert wait.attributes["error.type"] == "failed"
    assert "secret-user" not in wait.to_json()


def test_a_lost_connection_is_an_error(bench: Bench) -> None:
    connection = bench.engine.raw_connection()
    bench.clock.advance(2)
    del connection
    gc.collect()
    hold = bench.span("connection hold")
    assert hold.attributes["pool_observer.lost"] is True
    assert hold.attributes["pool_observer.ending"] == "lost"
    assert hold.status.status_code is StatusCode.ERROR


def test_an_overdue_hold_is_marked_where_it_became_so(bench: Bench) -> None:
    with expect_long_hold(5, "a nightly report"), bench.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        bench.clock.advance(8)
        connection.commit()
    hold = bench.span("connection hold")
    assert hold.attributes["pool_observer.overdue"] is True
    assert hold.attributes["pool_observer.limit_seconds"] == 5.0
    assert hold.attributes["pool_observer.limit_reason"] == "a nightly report"
    assert events(hold) == [
        ("first statement", bench.at(0)),
        ("overdue", bench.at(5)),
        ("commit", bench.at(8)),
    ]


def test_a_hold_without_a_limit_has_none(bench: Bench) -> None:
    with expect_long_hold(float("inf"), "listens for notifications"), bench.engine.connect():
        pass
    hold = bench.span("connection hold")
    assert "pool_observer.limit_seconds" not in hold.attributes
    assert hold.attributes["pool_observer.limit_reason"] == "listens for notifications"


def test_a_nested_checkout_says_so(bench: Bench) -> None:
    with bench.engine.connect(), bench.engine.connect():
        pass
    assert sorted(span.attributes["pool_observer.nested"] for span in bench.spans("pool wait")) == [
        False,
        True,
    ]
