from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.exposition import choose_encoder

from pool_observer.prometheus import rendering
from pool_observer.prometheus.rendering import render
from pool_observer.prometheus.turns import LONGEST_TURN, Turns
from pool_observer.prometheus.workers import Workers
from tests.prometheus.scraped import Scraped

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("orders", "Orders.", registry=registry).inc(3)
    Gauge("db_client_connection_count", "Connections.", registry=registry).set(2)
    histogram = Histogram("wait_seconds", "Waits.", registry=registry, buckets=(0.5, 2))
    histogram.observe(1, {"trace_id": "abc"})
    return registry


def content_type(rendered: rendering.Rendered) -> str:
    return dict(rendered.headers)[b"content-type"].decode()


def test_plain_text_is_the_default(registry: CollectorRegistry) -> None:
    rendered = render(registry, None)
    assert content_type(rendered).startswith("text/plain; version=0.0.4")
    assert b"orders_total 3.0\n" in rendered.body


@pytest.mark.parametrize("accept", [OPENMETRICS, PROMETHEUS_2_42])
def test_openmetrics_is_given_to_who_accepts_it(registry: CollectorRegistry, accept: str) -> None:
    rendered = render(registry, None, accept=accept)
    assert content_type(rendered).startswith("application/openmetrics-text")
    scraped = Scraped.of_openmetrics(rendered.body.decode())
    assert scraped.one("orders_total") == 3.0
    (bucket,) = scraped.all("wait_seconds_bucket", le="2.0")
    assert bucket.exemplar is not None
    assert bucket.exemplar.labels == {"trace_id": "abc"}


def test_it_is_compressed_for_who_accepts_that(registry: CollectorRegistry) -> None:
    rendered = render(registry, None, accept_encoding="br, gzip;q=0.9")
    assert dict(rendered.headers)[b"content-encoding"] == b"gzip"
    assert gzip.decompress(rendered.body) == render(registry, None).body


def test_some_names_may_be_asked_for(registry: CollectorRegistry) -> None:
    body = render(registry, None, names=["orders_total", "wait_seconds_sum"]).body.decode()
    assert [line for line in body.splitlines() if not line.startswith("#")] == [
        "orders_total 3.0",
        "wait_seconds_sum 1.0",
    ]


def test_a_gauge_with_the_name_of_a_count_is_untyped_in_plain_text_only(
    registry: CollectorRegistry,
) -> None:
    plain = render(registry, None).body.decode()
    assert "# TYPE db_client_connection_count untyped\n" in plain
    openmetrics = render(registry, None, accept=OPENMETRICS).body.decode()
    assert "# TYPE db_client_connection_count gauge\n" in openmetrics


def test_a_collector_keeps_what_it_has_given(registry: CollectorRegistry) -> None:
    """One that gives the same families each time must find them unchanged."""
    kept = Metric("db_client_connection_count", "Kept.", "gauge")
    kept.add_sample("db_client_connection_count", {}, 1.0)
    kept.add_sample("something_else", {}, 1.0)
    samples = kept.samples

    class Keeping:
        def collect(self) -> Iterator[Metric]:
            yield kept

    registry = CollectorRegistry()
    registry.register(Keeping())
    render(registry, None, names=["something_else"])
    assert kept.samples is samples
    assert len(samples) == 2
    assert kept.type == "gauge"


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_it_is_what_prometheus_client_renders_itself(accept: str) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("more", "More.", ["number"], registry=registry)
    for number in range(3 * rendering.AT_A_TIME + 1):
        gauge.labels(str(number)).set(number)
    encode, _ = choose_encoder(accept)
    assert render(registry, None, accept=accept).body == encode(registry)


def test_others_get_their_turn_while_it_renders(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[Turns] = []
    monkeypatch.setattr(Turns, "pause", lambda turns: paused.append(turns))
    gauge = Gauge("more", "More.", ["number"], registry=registry)
    for number in range(10 * rendering.AT_A_TIME):
        gauge.labels(str(number)).set(number)
    render(registry, None)
    assert len(paused) >= 10


def test_a_turn_ends_when_it_has_been_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    given_way: list[float] = []
    monkeypatch.setattr(
        "pool_observer.prometheus.turns.time.sleep", lambda _: given_way.append(now)
    )
    turn = Turns(clock=lambda: now)
    for _ in range(10):
        now += LONGEST_TURN / 4
        turn.pause()
    assert given_way == [LONGEST_TURN, 2 * LONGEST_TURN]


def test_a_collector_that_fails_is_told_of(registry: CollectorRegistry) -> None:
    class Failing:
        def collect(self) -> Iterator[Metric]:
            raise ZeroDivisionError
            yield

    registry.register(Failing())
    with pytest.raises(ZeroDivisionError):
        render(registry, None)


def test_files_that_are_half_made_are_read_again(
    registry: CollectorRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[None] = []

    def half_made(*_: object, **__: object) -> Iterator[str]:
        attempts.append(None)
        if len(attempts) == 1:
            raise RuntimeError("Read beyond file size detected, file is corrupted.")
        yield "whole"

    monkeypatch.setattr(Workers, "write", half_made)
    assert render(registry, Workers(tmp_path)).body == b"whole"
    assert len(attempts) == 2
