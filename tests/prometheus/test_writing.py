"""Our own writer says, byte for byte, what prometheus_client would have said."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import Counter
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families

from pool_observer import holding
from pool_observer.contract import CONTRACT
from pool_observer.holder import current_holder
from pool_observer.model import TraceContext
from pool_observer.prometheus import rendering
from pool_observer.prometheus.families import PoolFamily
from pool_observer.prometheus.rendering import render
from pool_observer.tracing import Traced
from tests.prometheus.bench import Bench
from tests.prometheus.scraped import Scraped
from tests.support import FakeDatabase, named

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FORMATS = [
    "",
    "text/plain;version=1.0.0",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "text/plain;version=1.0.0;escaping=dots",
    OPENMETRICS,
    f"{OPENMETRICS};escaping=allow-utf-8",
    f"{OPENMETRICS};escaping=underscores",
    f"{OPENMETRICS};escaping=dots",
    f"{OPENMETRICS};escaping=values",
]
HOSTILE = ["GET /{id}", 'say "hello"', "back\\slash", "new\nline", "grüße ☃", "", "\\n", "a" * 300]


@pytest.fixture
def bench(database: FakeDatabase) -> Iterator[Bench]:
    """A pool with all kinds of holders and figures, beside somebody's own metrics."""
    bench = Bench(database)
    bench.observer._ledger._totals._holder_limit = 100
    Counter("theirs", "Somebody's own.", ["label"], registry=bench.registry).labels("x").inc(7)
    trace = TraceContext("a" * 32, "b" * 16, flags=1)
    bench.observer._ledger.trace_context = lambda: Traced(trace)
    for number, name in enumerate(HOSTILE):
        token = current_holder.set(named(name))
        for _ in range(number + 1):
            with bench.engine.connect():
                bench.clock.advance(10.0 ** (number - 3))
        current_holder.reset(token)
    with bench.observer, holding("open"), bench.engine.connect():
        yield bench


def untyped_count(text: bytes) -> bytes:
    """What differs on purpose: in plain text, only an untyped metric may end with `_count`."""
    return re.sub(rb"(# TYPE db_+client_+connection_+count) gauge", rb"\1 untyped", text)


@pytest.mark.parametrize("accept", FORMATS)
def test_it_is_what_prometheus_client_writes(bench: Bench, accept: str) -> None:
    rendered = render(bench.registry, None, accept=accept)
    encode, content_type = choose_encoder(accept)
    expected = encode(bench.registry)
    if content_type.startswith("text/plain"):
        expected = untyped_count(expected)
    assert rendered.body.decode().splitlines() == expected.decode().splitlines()
    assert rendered.body == expected


def test_the_bench_has_what_is_hard_to_write(bench: Bench) -> None:
    text = render(bench.registry, None, accept=OPENMETRICS).body.decode()
    assert r'holder="new\nline"' in text
    assert ' # {span_id="' in text
    assert "e+" in text


def test_it_can_be_read_again(bench: Bench) -> None:
    families = text_string_to_metric_families(render(bench.registry, None).body.decode())
    checkouts = Scraped(families).by("holder", "pool_observer_checkouts_total")
    assert {name: checkouts[name] for name in HOSTILE} == {
        name: number + 1 for number, name in enumerate(HOSTILE)
    }


def test_it_makes_no_object_of_a_sample(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: PoolFamily) -> Any:
        raise AssertionError("nobody has asked for samples")

    monkeypatch.setattr(PoolFamily, "samples", property(refuse, lambda *_: None))
    assert b"pool_observer_checkouts_total" in render(bench.registry, None).body


def test_the_garbage_collector_has_little_to_look_at(bench: Bench) -> None:
    """What it has to look at, it looks at while everything else waits."""
    render(bench.registry, None)
    gc.collect()
    gc.disable()
    try:
        before = gc.get_count()[0]
        page = rendering._Page(OPENMETRICS, frozenset())
        states = bench.observer.snapshot()
        snapshot_costs = gc.get_count()[0] - before
        before = gc.get_count()[0]
        page.of(bench.registry)
        grown = gc.get_count()[0] - before
    finally:
        gc.enable()
    del states
    holders = len(HOSTILE) + 1
    assert grown < snapshot_costs + 10 * len(CONTRACT) + 10 * holders
