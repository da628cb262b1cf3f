"""Waits and holds as spans: exactly what they were, and only those that matter."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags, TraceState
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import PoolObserver, expect_long_hold, holding
from pool_observer.model import Occupant, Outcome, Stage, Wait
from pool_observer.opentelemetry.conventions import Conventions
from pool_observer.opentelemetry.exporting import export
from pool_observer.opentelemetry.scope import SCOPE
from pool_observer.opentelemetry.spans import SpanRecorder
from tests.opentelemetry.told import Told
from tests.support import FakeClock, FakeDatabase, observer_of

SECOND = 1_000_000_000
EPOCH = 1_700_000_000 * SECOND
POOL = "db.client.connection.pool.name"


@dataclass
class Bench:
    """A pool of two on a clock of the test's own, all of whose waits and holds become spans."""

    database: FakeDatabase
    clock: FakeClock
    engine: Engine
    observer: PoolObserver
    told: Told

    def spans(self, name: str | None = None) -> list[Any]:
        self.observer.deliver()
        return list(self.told.spans(name))

    def span(self, name: str) -> Any:
        (found,) = self.spans(name)
        return found

    def at(self, seconds: float) -> int:
        """What the wall clock says at that time of the test's."""
        return EPOCH + round(seconds * SECOND)


def bench_of(database: FakeDatabase, told: Told, **settings: Any) -> Iterator[Bench]:
    clock = FakeClock()
    engine = database.engine(pool_size=2, max_overflow=0, pool_timeout=0)
    wall_clock = lambda: EPOCH + clock.now  # noqa: E731
    with observer_of(engine, name="orders", clock=clock, wall_clock=wall_clock) as observer:
        export(observer, told.settings(**settings))
        yield Bench(database, clock, engine, observer, told)


@pytest.fixture
def bench(database: FakeDatabase, told: Told) -> Iterator[Bench]:
    yield from bench_of(database, told)


@pytest.fixture
def default_bench(database: FakeDatabase, told: Told) -> Iterator[Bench]:
    yield from bench_of(database, told, spans_above=0.1)


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
    with expect_long_hold(5, "a nightly report"), bench.engine.connect():
        bench.clock.advance(8)
    hold = bench.span("connection hold")
    assert hold.attributes["pool_observer.overdue"] is True
    assert hold.attributes["pool_observer.limit_seconds"] == 5.0
    assert hold.attributes["pool_observer.limit_reason"] == "a nightly report"
    assert events(hold) == [("overdue", bench.at(5))]


def test_a_nested_checkout_says_so(bench: Bench) -> None:
    with bench.engine.connect(), bench.engine.connect():
        pass
    assert sorted(span.attributes["pool_observer.nested"] for span in bench.spans("pool wait")) == [
        False,
        True,
    ]


# -- which become spans ------------------------------------------------------------------------


def test_by_default_short_ones_make_no_spans(default_bench: Bench) -> None:
    with default_bench.engine.connect():
        default_bench.clock.advance(0.0999)
    assert default_bench.spans() == []
    with default_bench.engine.connect():
        default_bench.clock.advance(0.1)
    assert [span.name for span in default_bench.spans()] == ["connection hold"]


def test_what_goes_wrong_is_told_however_short(default_bench: Bench) -> None:
    bench = default_bench
    with expect_long_hold(0.01, "none"), bench.engine.connect():
        bench.clock.advance(0.02)
    assert len(bench.spans("connection hold")) == 1
    connection = bench.engine.raw_connection()
    del connection
    gc.collect()
    assert len(bench.spans("connection hold")) == 2
    with bench.engine.connect(), bench.engine.connect(), pytest.raises(PoolTimeoutError):
        bench.engine.connect()
    (wait,) = bench.spans("pool wait")
    assert wait.attributes["pool_observer.outcome"] == "timed_out"


def test_none_of_them_becomes_a_span_if_that_is_wanted(database: FakeDatabase, told: Told) -> None:
    for bench in bench_of(database, told, spans_above=None):
        with bench.engine.connect():
            bench.clock.advance(60)
        assert bench.spans() == []
        assert "db.client.connection.use_time" in told.metrics()


def test_spans_alone(database: FakeDatabase, told: Told) -> None:
    for bench in bench_of(database, told, metrics=False):
        with bench.engine.connect():
            pass
        assert len(bench.spans()) == 2
        assert told.metrics() == {}


def test_sampling_is_respected(database: FakeDatabase) -> None:
    told = Told(sampler=ParentBased(ALWAYS_OFF))
    for bench in bench_of(database, told):
        with told.tracer.start_as_current_span("request"), bench.engine.connect():
            pass
        assert bench.spans() == []
        sampled = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        parent = trace.set_span_in_context(trace.NonRecordingSpan(sampled))
        token = attach(parent)
        try:
            with bench.engine.connect():
                pass
        finally:
            detach(token)
        assert {span.context.trace_id for span in bench.spans()} == {1}
        assert len(bench.spans()) == 2
    told.shutdown()


@pytest.mark.parametrize("traced", [False, True])
def test_suppressed_instrumentation_makes_no_spans(bench: Bench, traced: bool) -> None:
    with suppress_instrumentation():
        if traced:
            with bench.told.tracer.start_as_current_span("request"), bench.engine.connect():
                pass
        else:
            bench.engine.connect().close()
    assert bench.spans() == []
    # The pool was used all the same, and its figures say so.
    assert "db.client.connection.use_time" in bench.told.metrics()


def test_what_was_suppressed_under_the_former_key_is_too(bench: Bench) -> None:
    token = attach(set_value("suppress_instrumentation", True))
    try:
        bench.engine.connect().close()
    finally:
        detach(token)
    assert bench.spans() == []


def test_flags_and_vendors_state_are_passed_on(bench: Bench) -> None:
    state = TraceState([("dd", "s:1")])
    flags = TraceFlags(3)  # sampled, and of a random ID
    parent = SpanContext(1, 2, is_remote=True, trace_flags=flags, trace_state=state)
    token = attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
    try:
        bench.engine.connect().close()
    finally:
        detach(token)
    assert {span.context.trace_state.to_header() for span in bench.spans()} == {"dd=s:1"}
    # What an SDK makes of flags that it does not know is its own affair.
    with trace.use_span(trace.NonRecordingSpan(parent)):
        child = bench.told.tracer.start_span("child").get_span_context()
    assert {span.context.trace_flags for span in bench.spans()} == {child.trace_flags}


def test_without_a_trace_each_is_a_trace_of_its_own(bench: Bench) -> None:
    bench.engine.connect().close()
    assert [span.parent for span in bench.spans()] == [None, None]


def test_a_span_of_our_own_thread_is_no_parent(bench: Bench) -> None:
    bench.engine.connect().close()
    with bench.told.tracer.start_as_current_span("whoever delivers"):
        assert [span.parent for span in bench.spans()] == [None, None]
