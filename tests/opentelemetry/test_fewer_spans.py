"""Spans of what matters only, and none where a sampler wants none: over OTLP, on PostgreSQL."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from pool_observer.opentelemetry.spans import HOLD, WAIT
from pool_observer.thresholds import Thresholds
from tests.opentelemetry.expected_spans import comparable, hold_span, wait_span
from tests.opentelemetry.otlp_service import CHECKED_IN, running
from tests.opentelemetry.receiver import receiving
from tests.opentelemetry.story import READ, be_odd, be_ordinary, in_order, told_by
from tests.postgres import Postgres


def test_by_default_only_what_is_slow_or_goes_wrong_becomes_a_span(postgres: Postgres) -> None:
    with receiving() as receiver, running(postgres.url("asyncpg"), receiver) as run:
        be_ordinary(run)
        be_odd(run)
        story = told_by(run, receiver)
    slow = Thresholds().span_after
    waits = [wait for wait in story.waits if wait.outcome == "failed" or wait.seconds >= slow]
    holds = [
        hold
        for hold in story.holds
        if (hold.ending == "lost" or hold.overdue or hold.seconds >= slow) and not hold.suppressed
    ]
    assert comparable(story.ours(WAIT)) == in_order(map(wait_span, waits))
    assert comparable(story.ours(HOLD)) == in_order(map(hold_span, holds))
    assert 0 < len(waits) < len(story.waits)
    assert 0 < len(holds) < len(story.holds)


@pytest.mark.parametrize("root", [ALWAYS_ON, ALWAYS_OFF, TraceIdRatioBased(0)])
def test_what_is_not_sampled_has_no_spans(root: Sampler, postgres: Postgres) -> None:
    with (
        receiving() as receiver,
        running(postgres.url("asyncpg"), receiver, sampler=ParentBased(root), spans_above=0) as run,
    ):
        run.client.ask(READ, CHECKED_IN, sampled=False)
        asked = run.client.ask(READ, CHECKED_IN, sampled=True)
        story = told_by(run, receiver)
    warm_up = root is ALWAYS_ON
    for name in (WAIT, HOLD):
        with_parents = [span for span in story.ours(name) if span.parent_id]
        assert [span.trace_id for span in with_parents] == [asked.trace_id]
        assert len(story.ours(name)) == len(with_parents) + warm_up
    assert len(story.waits) == len(story.holds) == 3
    (point,) = [
        p for p in story.metrics["pool_observer.checkouts"].points if p.attributes["holder"] == READ
    ]
    assert point.value == 2
