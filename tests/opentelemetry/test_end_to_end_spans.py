"""What arrives over OTLP from a real service on a real PostgreSQL: the spans, all of them.

The truth is what the observer tells any listener of waits and holds, and what the requests were
to do.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pool_observer.model import NANOSECONDS, Outcome
from pool_observer.opentelemetry.spans import HOLD, WAIT
from pool_observer.wall_clock import BELIEVED_NS
from tests.opentelemetry import otlp_service
from tests.opentelemetry.expected_spans import ERROR, UNSET, comparable, hold_span, wait_span
from tests.opentelemetry.otlp_service import LEAK_AFTER, SIZE, WARM_UP
from tests.opentelemetry.story import HELD, READ, Story, in_order


def test_every_wait_and_every_hold_is_a_span_with_all_that_is_known_of_it(story: Story) -> None:
    waits = [wait_span(wait) for wait in story.waits if not wait.suppressed]
    holds = [hold_span(hold) for hold in story.holds if not hold.suppressed]
    assert comparable(story.ours(WAIT)) == in_order(waits)
    assert comparable(story.ours(HOLD)) == in_order(holds)


def test_requests_have_the_spans_of_what_was_done_in_them(story: Story) -> None:
    for asked in story.asked:
        server = story.server_span(asked.trace_id)
        assert server.parent_id == asked.client_span_id
        parent = story.current_within(server)
        waits, holds = story.in_trace(WAIT, asked.trace_id), story.in_trace(HOLD, asked.trace_id)
        assert {span.parent_id for span in (*waits, *holds)} <= {parent.span_id}
        assert {span.attributes["holder"] for span in (*waits, *holds)} <= {asked.holder}
        route = server.attributes["http.route"]
        assert {span.attributes["http.route"] for span in (*waits, *holds)} <= {route}
        endings = {span.start_ns: span.attributes["pool_observer.ending"] for span in holds}
        assert len(endings) == len(holds)
        # A hold begins when its wait is over, to the nanosecond.
        done = [
            (span.attributes["pool_observer.outcome"], endings.pop(span.end_ns, None))
            for span in waits
        ]
        assert (asked.holder, tuple(done)) == (asked.holder, asked.claims)
        assert not endings


def test_spans_lie_within_that_of_their_request(story: Story) -> None:
    # The server's span is timed by the clock on the wall. Ours go by one that cannot be set,
    # and that is not corrected for less than this.
    apart = BELIEVED_NS
    for asked in story.asked:
        server = story.server_span(asked.trace_id)
        for span in story.in_trace(WAIT, asked.trace_id) + story.in_trace(HOLD, asked.trace_id):
            assert server.start_ns - apart <= span.start_ns
            if asked.holder != "POST /mailed/{order}":  # which is done after the response
                assert span.end_ns <= server.end_ns + apart
            assert all(span.start_ns <= instant <= span.end_ns for _, instant in span.events)
            instants = [instant for _, instant in span.events]
            assert instants == sorted(instants)


def test_what_nobody_asked_for_is_in_traces_of_its_own(story: Story) -> None:
    roots = [span for span in story.ours(WAIT) + story.ours(HOLD) if not span.parent_id]
    assert [span.attributes["holder"] for span in roots] == [WARM_UP, WARM_UP]
    assert len({span.trace_id for span in roots}) == 2
    assert not any("http.route" in span.attributes for span in roots)


def test_what_is_not_to_be_recorded_is_not(story: Story) -> None:
    suppressed = [hold.holder for hold in story.holds if hold.suppressed]
    assert suppressed == ["GET /quiet/{order}"]
    assert suppressed[0] not in {span.attributes["holder"] for span in story.ours(HOLD)}


def test_who_had_to_queue_is_told_who_held_the_connections(story: Story) -> None:
    held_at = f"{otlp_service.__name__.replace('.', '/')}.py:{line_of('# held here')}"
    culprits = [f"{SIZE} x {HELD} at {held_at} in OrderService.hold"]
    told = {
        span.attributes["pool_observer.outcome"]: (span.status, span.status_message)
        for span in story.ours(WAIT)
        if span.attributes.get("pool_observer.held_by") == culprits
    }
    assert told["timed_out"] == (ERROR, "the pool had no connection within its time-out")
    assert told["acquired"] == (UNSET, "")


def line_of(written: str) -> int:
    """The line of the service on which this is written."""
    lines = Path(otlp_service.__file__).read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.endswith(written)]
    return number


def test_holds_show_what_happened_in_them(story: Story) -> None:
    committing = {READ, HELD}
    for span in story.ours(HOLD):
        holder, events = span.attributes["holder"], span.event_names
        assert ("first statement" in events) == (holder != "POST /invalidated/{order}")
        assert ("commit" in events) == (holder in committing)
        if holder in committing:
            assert events.index("first statement") < events.index("commit")
        if holder == HELD:
            assert "overdue" in events
        if holder == "POST /export/{order}":
            assert "overdue" not in events
            assert span.end_ns - span.start_ns > LEAK_AFTER * NANOSECONDS
            assert span.attributes["pool_observer.limit_seconds"] == 60
            assert span.attributes["pool_observer.limit_reason"] == "nightly export"


def test_waits_show_what_they_waited_for(story: Story) -> None:
    stages = Counter(name for span in story.ours(WAIT) for name in span.event_names)
    opened = story.state.totals.connections_opened
    refused = sum(wait.outcome is Outcome.FAILED for wait in story.waits)
    assert stages["connect start"] == opened + refused
    assert stages["queue start"] == len(story.ours(WAIT))
    nested = [s for s in story.ours(WAIT) if s.attributes["pool_observer.nested"]]
    assert [span.attributes["holder"] for span in nested] == ["GET /nested/{order}"]
