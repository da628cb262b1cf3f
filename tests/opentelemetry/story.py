"""What was done to the service, what became of it, and what the receiver was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pool_observer.model import NANOSECONDS, Hold, Wait
from pool_observer.opentelemetry.scope import SCOPE
from pool_observer.state import PoolState
from pool_observer.telling import QUEUED_NS
from tests.opentelemetry.otlp_service import CHECKED_IN, LEAK_AFTER, SIZE, Asked, Running
from tests.opentelemetry.receiver import ReceivedMetric, ReceivedSpan, Receiver
from tests.support import wait_until

SERVER = 2
"""The kind of a span."""

LONG_ENOUGH_TO_TELL = 2 * QUEUED_NS / NANOSECONDS
"""Seconds in the queue after which a wait says who held the connections."""

READ, HELD = "GET /orders/{order}", "GET /held/{order}"
TIMED_OUT, FAILED, CANCELLED = (("timed_out", None), ("failed", None), ("cancelled", None))


@dataclass(frozen=True)
class Story:
    """What was done to the service, what became of it, and what the receiver was told."""

    asked: list[Asked]
    state: PoolState
    waits: list[Wait]
    holds: list[Hold]
    spans: list[ReceivedSpan]
    exports: list[list[ReceivedMetric]]
    encodings: set[str]

    @property
    def metrics(self) -> dict[str, ReceivedMetric]:
        """Ours, as they were exported last."""
        return {metric.name: metric for metric in self.exports[-1] if metric.scope == SCOPE}

    def ours(self, name: str) -> list[ReceivedSpan]:
        return in_order(span for span in self.spans if (span.scope, span.name) == (SCOPE, name))

    def current_within(self, server: ReceivedSpan) -> ReceivedSpan:
        """The span that was current where this request asked for its connections."""
        # The application's own, and what newer versions of FastAPI's instrumentation add.
        others = ("charge", "BackgroundTask _use")
        inner = [s for s in self.spans if s.trace_id == server.trace_id and s.name in others]
        assert {span.parent_id for span in inner} <= {server.span_id}
        assert len(inner) == 1 or server.attributes["http.route"] != "/charged/{order}"
        return inner[0] if inner else server

    def in_trace(self, name: str, trace_id: str) -> list[ReceivedSpan]:
        return [span for span in self.ours(name) if span.trace_id == trace_id]

    def server_span(self, trace_id: str) -> ReceivedSpan:
        (span,) = [s for s in self.spans if s.trace_id == trace_id and s.kind == SERVER]
        return span


def in_order(spans: Any) -> list[ReceivedSpan]:
    return sorted(spans, key=lambda span: (span.start_ns, span.trace_id))


def told_by(run: Running, receiver: Receiver) -> Story:
    """Everything until now, as soon as nothing changes any more."""
    observer = run.observer
    at_rest: list[PoolState] = []

    def nothing_changes() -> bool:
        observer.deliver()
        before = observer.snapshot()
        assert run.meter_provider.force_flush()
        after = observer.snapshot()
        at_rest[:] = [before]
        in_motion = before.used or before.waiting or before.totals != after.totals
        return not in_motion

    def all_requests_are_over() -> bool:
        assert run.tracer_provider.force_flush()
        servers = [span for span in receiver.spans() if span.kind == SERVER]
        sampled = [asked for asked in run.client.asked if asked.sampled]
        return len(servers) == len(sampled)

    wait_until(nothing_changes)
    wait_until(all_requests_are_over)
    return Story(
        run.client.asked,
        at_rest[0],
        run.heard.waits,
        run.heard.holds,
        receiver.spans(),
        receiver.exports(),
        receiver.encodings,
    )


def be_ordinary(run: Running) -> None:
    """Requests that take no longer than they have to."""
    for _ in range(3):
        run.client.ask(READ, CHECKED_IN)
    together = [run.client.begin(READ, CHECKED_IN) for _ in range(6)]
    for each in together:
        each.result()


def be_slow(run: Running) -> None:
    """Hold all connections for long, and have others queue meanwhile."""
    client, state = run.client, run.observer.snapshot
    holding = [client.begin(HELD, CHECKED_IN, order=f"slow {n}") for n in range(SIZE)]
    wait_until(lambda: state().overdue == SIZE)
    client.ask(READ, TIMED_OUT, status=500)
    giving_up = client.begin("POST /given_up/{order}", CANCELLED, order="given up")
    wait_until(lambda: state().waiting == 1)
    client.ask("POST /gates/{order}", order="given up")
    giving_up.result()
    queueing = client.begin(READ, CHECKED_IN)
    wait_until(lambda: state().oldest_wait_seconds > LONG_ENOUGH_TO_TELL)
    for n in range(SIZE):
        client.ask("POST /gates/{order}", order=f"slow {n}")
        queueing.result()  # so that the other connections are held when it gets the first
    for each in holding:
        each.result()

    exporting = client.begin("POST /export/{order}", CHECKED_IN, order="export")
    wait_until(lambda: state().oldest_hold_seconds > 2 * LEAK_AFTER)
    client.ask("POST /gates/{order}", order="export")
    exporting.result()


def be_odd(run: Running) -> None:
    """Everything else that may become of a connection."""
    client = run.client
    client.ask("GET /quiet/{order}")
    client.ask("GET /nested/{order}", CHECKED_IN, CHECKED_IN)
    client.ask("GET /failed/{order}", CHECKED_IN, status=500)
    client.ask("POST /invalidated/{order}", CHECKED_IN)
    client.ask("POST /detached/{order}", ("acquired", "detached"))
    client.ask("POST /lost/{order}", ("acquired", "lost"))
    client.ask("GET /streamed/{order}", CHECKED_IN)
    mailed = client.ask("POST /mailed/{order}", CHECKED_IN).holder
    wait_until(lambda: returned_by(run, mailed))  # which is after the response
    client.ask("POST /charged/{order}", CHECKED_IN)
    client.ask("POST /cut/{order}", CHECKED_IN, status=500)
    run.service.refuses = True
    client.ask(READ, FAILED, status=500)
    run.service.refuses = False
    client.ask(READ, CHECKED_IN)


def returned_by(run: Running, holder: str) -> int:
    """How many connections it has given back."""
    totals = run.observer.snapshot().totals.holders.get(holder)
    return 0 if totals is None else totals.checkins
