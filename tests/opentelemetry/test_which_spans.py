"""Only what matters becomes a span, and only where it is wanted; and whose child it is."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanContext, TraceFlags, TraceState
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pool_observer import expect_long_hold
from tests.opentelemetry.bench import Bench, bench_of
from tests.opentelemetry.told import Told
from tests.support import FakeDatabase


@pytest.fixture
def bench(database: FakeDatabase, told: Told) -> Iterator[Bench]:
    with bench_of(database, told) as bench:
        yield bench


@pytest.fixture
def default_bench(database: FakeDatabase, told: Told) -> Iterator[Bench]:
    with bench_of(database, told, spans_above=0.1) as bench:
        yield bench


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
    with bench_of(database, told, spans_above=None) as bench:
        with bench.engine.connect():
            bench.clock.advance(60)
        assert bench.spans() == []
        assert "db.client.connection.use_time" in told.metrics()


def test_spans_alone(database: FakeDatabase, told: Told) -> None:
    with bench_of(database, told, metrics=False) as bench:
        with bench.engine.connect():
            pass
        assert len(bench.spans()) == 2
        assert told.metrics() == {}


def test_sampling_is_respected(database: FakeDatabase) -> None:
    told = Told(sampler=ParentBased(ALWAYS_OFF))
    with bench_of(database, told) as bench:
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
