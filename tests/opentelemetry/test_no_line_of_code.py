"""`opentelemetry-instrument uvicorn ...`: a service that knows nothing of us, on PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

import httpx

from tests.conftest import require
from tests.opentelemetry.receiver import Receiver, receiving
from tests.postgres import Postgres
from tests.support import wait_until

ROOT = Path(__file__).parents[2]
HOLDER = "GET /orders/{order_id}"


@contextmanager
def instrumented(url: str, receiver: Receiver, **environment: str) -> Iterator[str]:
    """The service under `opentelemetry-instrument`; gives its address."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    server = [sys.executable, "-m", "uvicorn", "tests.opentelemetry.plain_service:app"]
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("opentelemetry-instrument"),
            *(*server, "--port", str(port), "--log-level", "warning"),
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE": url,
            "OTEL_SERVICE_NAME": "orders",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_PYTHON_POOL_OBSERVER_SPANS_ABOVE": "0",
        }
        | environment,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{address}/docs") or process.poll() is not None)
        assert process.poll() is None
        yield address
        process.send_signal(signal.SIGINT)
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_engines_are_observed_and_requests_are_named(postgres: Postgres) -> None:
    found = entry_points(group="opentelemetry_instrumentor", name="pool_observer")
    require(bool(found), "pool_observer as a package, with its entry points")
    url = postgres.url("asyncpg").render_as_string(hide_password=False)
    with receiving() as receiver, instrumented(url, receiver) as address:
        for number in range(3):
            assert httpx.get(f"{address}/orders/{number}").json() == number
    spans = receiver.spans()
    parents = {span.span_id: span for span in spans}
    for name in ("pool wait", "connection hold"):
        ours = [span for span in spans if span.name == name]
        assert len(ours) == 3
        for span in ours:
            # Where it works, OpenTelemetry's own instrumentation has a span around the wait.
            parent = parents[span.parent_id]
            if span.name == "pool wait" and parent.name == "connect":
                parent = parents[parent.parent_id]
            assert parent.name == HOLDER
            assert span.trace_id == parent.trace_id
            assert parent.start_ns <= span.start_ns <= span.end_ns
            assert span.attributes["holder"] == HOLDER
            assert span.attributes["http.route"] == "/orders/{order_id}"
            assert span.attributes["db.system.name"] == "postgresql"
            assert span.attributes["code.file.path"] == "tests/opentelemetry/plain_service.py"
    last = {metric.name: metric for metric in receiver.exports()[-1]}
    (checkouts,) = last["pool_observer.checkouts"].points
    assert (checkouts.attributes["holder"], checkouts.value) == (HOLDER, 3)
    (use_time,) = last["db.client.connection.use_time"].points
    assert use_time.count == 3


def test_it_can_be_left_out(postgres: Postgres) -> None:
    url = postgres.url("asyncpg").render_as_string(hide_password=False)
    left_out = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "pool_observer"}
    with receiving() as receiver, instrumented(url, receiver, **left_out) as address:
        assert httpx.get(f"{address}/orders/1").json() == 1
    assert {span.name for span in receiver.spans()}.isdisjoint({"pool wait", "connection hold"})
    assert any(span.name == HOLDER for span in receiver.spans())
