"""Traces, from OpenTelemetry itself, and without it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from unittest import mock

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from pool_observer import TraceContext
from pool_observer.tracing import reader_of_current_context
from tests.conftest import Observe
from tests.support import FakeDatabase, RecordingListener

WITHOUT = """
import sys
from sqlalchemy import create_engine
from pool_observer import observe
engine = create_engine("sqlite://")
with observe(engine) as observer, engine.connect():
    assert observer.snapshot().open_holds[0].trace is None
assert not any(name.partition(".")[0] == "opentelemetry" for name in sys.modules)

# Whoever imports it later is followed, from the watchdog's next round on.
engine = create_engine("sqlite://")
with observe(engine) as observer:
    from opentelemetry.sdk.trace import TracerProvider
    observer.tick()
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request"), engine.connect():
        assert observer.snapshot().open_holds[0].trace is not None
"""


def test_opentelemetry_is_never_imported_by_us() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)


def test_a_wait_and_a_hold_know_the_span_in_which_the_connection_was_asked_for(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    observer = observed(engine)
    listener = RecordingListener()
    observer.subscribe(listener)
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request") as span:
        connection = engine.connect()
        expected = TraceContext(
            trace_id=trace.format_trace_id(span.get_span_context().trace_id),
            span_id=trace.format_span_id(span.get_span_context().span_id),
            flags=int(span.get_span_context().trace_flags),
        )
        assert observer.snapshot().open_holds[0].trace == expected
    with tracer.start_as_current_span("another"):
        connection.close()
    observer.deliver()
    (wait,), (hold,) = listener.waits, listener.holds
    assert wait.trace == hold.trace == expected


def test_without_a_span_there_is_no_trace(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine)
    with engine.connect():
        assert observer.snapshot().open_holds[0].trace is None


def test_a_span_that_is_not_sampled_says_so(database: FakeDatabase, observed: Observe) -> None:
    engine = database.engine()
    observer = observed(engine)
    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("test")
    with tracer.start_as_current_span("request"), engine.connect():
        found = observer.snapshot().open_holds[0].trace
        assert found is not None
        assert not found.sampled


def test_what_fails_in_opentelemetry_costs_the_trace_and_nothing_else(
    database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    with mock.patch("opentelemetry.context.get_current", side_effect=ZeroDivisionError):
        observer = observed(engine)
        with engine.connect():
            assert observer.snapshot().used == 1
    observer.tick()
    tracer = TracerProvider().get_tracer("test")
    broken = mock.patch("opentelemetry.trace.get_current_span", side_effect=ZeroDivisionError)
    with tracer.start_as_current_span("request"), broken, engine.connect():
        assert observer.snapshot().open_holds[0].trace is None
    assert set(observer.snapshot().totals.internal_errors) == {"reading a trace"}


def test_nobody_who_has_no_opentelemetry_pays_for_it() -> None:
    with mock.patch.dict(sys.modules):
        sys.modules.pop("opentelemetry.context", None)
        assert reader_of_current_context() is None


def test_a_span_of_getting_a_connection_is_around_the_wait_and_not_the_hold(
    database: FakeDatabase, observed: Observe
) -> None:
    """As opentelemetry-instrumentation-sqlalchemy makes one; it ends where the hold begins."""
    engine = database.engine()
    observer = observed(engine, name="orders")
    listener = RecordingListener()
    observer.subscribe(listener)
    provider = TracerProvider()
    theirs = provider.get_tracer("opentelemetry.instrumentation.sqlalchemy")
    with (
        provider.get_tracer("test").start_as_current_span("request") as around,
        theirs.start_as_current_span("connect") as connect,
    ):
        engine.connect().close()
    with theirs.start_as_current_span("SELECT") as another:
        engine.connect().close()
    with theirs.start_as_current_span("connect") as alone:
        engine.connect().close()
    observer.deliver()

    def span_ids(told: list[Any]) -> list[str | None]:
        return [None if each.trace is None else each.trace.span_id for each in told]

    def ids(*spans: Any) -> list[str]:
        return [trace.format_span_id(span.get_span_context().span_id) for span in spans]

    assert span_ids(listener.waits) == ids(connect, another, alone)
    assert span_ids(listener.holds) == ids(around, another, alone)


def test_a_context_with_nothing_in_it_says_nothing() -> None:
    # Newer FastAPI imports OpenTelemetry whether it is used or not.
    read = reader_of_current_context()
    assert read is not None
    assert read() is None
