"""From a bucket to the trace: with OpenTelemetry's own instrumentation and SDK."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from prometheus_client import CollectorRegistry

from tests.conftest import Observe
from tests.prometheus.apps import an_app
from tests.prometheus.scraped import Scraped
from tests.support import FakeDatabase

OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}


def scrape_after_a_request(app: FastAPI) -> Scraped:
    async def ask() -> str:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/orders/1")
            return (await client.get("/metrics", headers=OPENMETRICS)).text

    return Scraped.of_openmetrics(asyncio.run(ask()))


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_a_bucket_has_the_trace_of_its_last_sampled_request(
    sampler: Sampler, database: FakeDatabase, observed: Observe
) -> None:
    engine = database.engine()
    app = an_app(engine)
    spans = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    observed(engine, app=app, name="orders", registry=CollectorRegistry())
    try:
        scraped = scrape_after_a_request(app)
    finally:
        FastAPIInstrumentor.uninstrument_app(app)
        provider.shutdown()
    expected = [
        {"trace_id": f"{span.context.trace_id:032x}", "span_id": f"{span.context.span_id:016x}"}
        for span in spans.get_finished_spans()
        if span.name == "GET /orders/{order}"
    ]
    assert len(expected) == (sampler is ALWAYS_ON)
    for name in ("wait", "use"):
        buckets = scraped.all(f"db_client_connection_{name}_time_seconds_bucket")
        exemplars = [bucket.exemplar for bucket in buckets if bucket.exemplar is not None]
        assert [exemplar.labels for exemplar in exemplars] == expected
