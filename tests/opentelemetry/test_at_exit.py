"""The last second of a process is told of too."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from sqlalchemy import create_engine
from pool_observer import OpenTelemetry, observe

class Printing(SpanExporter):
    def export(self, spans):
        for span in spans:
            print(span.name, flush=True)
        return SpanExportResult.SUCCESS

def set_up():
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Printing()))
    trace.set_tracer_provider(provider)

if sys.argv[1] == "before":
    set_up()
engine = create_engine("sqlite://")
observer = observe(engine, name="orders", opentelemetry=OpenTelemetry(spans_above=0))
if sys.argv[1] == "after":
    set_up()
    observer.tick()
engine.connect().close()
if sys.argv[2] == "closed":
    observer.close()
"""


@pytest.mark.parametrize("how", ["closed", "left"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_spans_of_the_last_second_are_exported(when: str, how: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, when, how], check=True, capture_output=True, text=True
    )
    assert run.stdout.splitlines() == ["pool wait", "connection hold"]
    assert "shut" not in run.stderr  # no provider was told too late
    assert "Error" not in run.stderr
