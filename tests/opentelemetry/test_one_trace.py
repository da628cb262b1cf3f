"""Beside OpenTelemetry's own instrumentations: one trace from the request to its queries.

`SQLAlchemyInstrumentor` has a span of its own, `connect`, around each `Engine.connect()`. It is
current where the connection is asked for, so our waits are children of it. Our holds outlive it,
and are children of the request's span.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from sqlalchemy import Engine

from pool_observer.contract import CONTRACT
from pool_observer.opentelemetry.scope import SCOPE
from pool_observer.opentelemetry.spans import HOLD, WAIT
from pool_observer.wall_clock import BELIEVED_NS
from tests.opentelemetry import otlp_service
from tests.opentelemetry.otlp_service import CHECKED_IN, running
from tests.opentelemetry.receiver import ReceivedSpan, receiving
from tests.opentelemetry.story import READ, Story, in_order, told_by
from tests.postgres import Postgres

QUERIES = {
    READ: 3,
    "GET /streamed/{order}": 1,
    "GET /nested/{order}": 2,
    "GET /failed/{order}": 1,
    "POST /invalidated/{order}": 0,
}
"""What is asked for, and the statements that are executed in it."""

THEIRS = "opentelemetry.instrumentation.sqlalchemy"

APART = BELIEVED_NS
"""By how much their clock, which can be set, may differ from ours."""


@pytest.fixture(scope="module")
def story(postgres: Postgres) -> Story:
    instrumentor = SQLAlchemyInstrumentor()
    with (
        receiving() as receiver,
        running(postgres.url("asyncpg"), receiver, spans_above=0) as run,
    ):
        instrumentor.instrument(
            engine=run.service.engine.sync_engine,
            tracer_provider=run.tracer_provider,
            meter_provider=run.meter_provider,
            skip_dep_check=True,  # it refuses SQLAlchemy 2.1, of which it knows nothing yet
        )
        try:
            for holder in QUERIES:
                claims = [CHECKED_IN] * (2 if holder == "GET /nested/{order}" else 1)
                status = 500 if holder == "GET /failed/{order}" else 200
                run.client.ask(holder, *claims, status=status)
            return told_by(run, receiver)
        finally:
            instrumentor.uninstrument()
            assert not hasattr(Engine.connect, "__wrapped__")  # not for the tests after these


def their_spans(story: Story, trace_id: str, *, queries: bool) -> list[ReceivedSpan]:
    return [
        span
        for span in story.spans
        if (span.scope, span.trace_id) == (THEIRS, trace_id) and (span.name != "connect") == queries
    ]


def lies_in(inner: ReceivedSpan, outer: ReceivedSpan) -> bool:
    return outer.start_ns - APART <= inner.start_ns and inner.end_ns <= outer.end_ns + APART


def test_one_trace_leads_from_the_request_to_its_wait_and_its_hold(story: Story) -> None:
    for asked in story.asked:
        server = story.server_span(asked.trace_id)
        connects = their_spans(story, asked.trace_id, queries=False)
        waits, holds = story.in_trace(WAIT, asked.trace_id), story.in_trace(HOLD, asked.trace_id)
        assert len(connects) == len(waits) == len(holds) == len(asked.claims)
        assert {connect.parent_id for connect in connects} == {server.span_id}
        # Each of theirs has one wait of ours inside. The hold that comes of it goes on when
        # theirs is over, and is part of what is around it.
        assert {hold.parent_id for hold in holds} == {server.span_id}
        for connect in connects:
            (wait,) = [span for span in waits if span.parent_id == connect.span_id]
            (hold,) = [span for span in holds if span.start_ns == wait.end_ns]
            assert lies_in(wait, connect)
            assert lies_in(hold, server)


def test_queries_lie_within_the_hold_of_their_connection(story: Story) -> None:
    for asked in story.asked:
        queries = in_order(their_spans(story, asked.trace_id, queries=True))
        assert len(queries) == QUERIES[asked.holder]
        assert all(query.name.startswith("SELECT") for query in queries)
        holds = story.in_trace(HOLD, asked.trace_id)
        assert all(any(lies_in(query, hold) for hold in holds) for query in queries)
        begun = sorted(
            instant for hold in holds for name, instant in hold.events if name == "first statement"
        )
        assert len(begun) == (len(holds) if queries else 0)
        # Their span of a statement begins before it is executed, and ends after it.
        for instant, query in zip(begun, queries, strict=False):
            assert query.start_ns - APART <= instant <= query.end_ns + APART


def test_the_line_is_still_that_of_the_application(story: Story) -> None:
    files = {
        Path(span.attributes["code.file.path"]).name
        for span in story.ours(WAIT) + story.ours(HOLD)
        if span.parent_id
    }
    assert files == {Path(otlp_service.__file__).name}


def test_no_metric_is_told_by_two(story: Story) -> None:
    scopes = {metric.scope for metric in story.exports[-1]}
    assert {SCOPE, THEIRS, "opentelemetry.instrumentation.fastapi"} <= scopes
    names = Counter(metric.name for metric in story.exports[-1])
    assert [name for name, told in names.items() if told > 1] == []


def test_the_connection_metrics_of_the_conventions_are_ours_alone(story: Story) -> None:
    prefix = "db.client.connection."
    told = {
        (metric.name, metric.scope)
        for export in story.exports
        for metric in export
        if metric.name.startswith(prefix)
    }
    assert told == {(metric.name, SCOPE) for metric in CONTRACT if metric.name.startswith(prefix)}
    assert len(told) == 9
