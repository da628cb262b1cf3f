"""Beside what else tells OpenTelemetry or Prometheus of the same engine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
import sqlalchemy
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pool_observer import OpenTelemetry, PoolObserver
from pool_observer.opentelemetry import advice
from pool_observer.opentelemetry.exporting import export
from tests.conftest import Observe
from tests.opentelemetry.told import Told
from tests.support import FakeDatabase

IS_2_0 = sqlalchemy.__version__.startswith("2.0")


@pytest.fixture(autouse=True)
def nothing_said_yet() -> Iterator[None]:
    advice.say_what_works.cache_clear()
    yield
    advice.say_what_works.cache_clear()


# -- opentelemetry-instrumentation-sqlalchemy --------------------------------------------------


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage() for record in caplog.records if advice.OFFICIAL in record.getMessage()
    ]


def tick_twice(*observers: PoolObserver) -> None:
    for observer in (*observers, *observers):
        observer.tick()


def test_where_the_official_instrumentation_refuses_we_say_once_what_works(
    observed: Observe, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    observers = [
        observed(FakeDatabase().engine(), name=name, opentelemetry=told.settings())
        for name in ("orders", "users")
    ]
    tick_twice(*observers)
    if IS_2_0:
        assert said(caplog) == []
        return
    (sentence,) = said(caplog)
    assert f"does nothing on SQLAlchemy {sqlalchemy.__version__}" in sentence
    assert "sqlalchemy<2.1" in sentence
    assert "skip_dep_check=True" in sentence


def test_what_we_say_works(observed: Observe, told: Told, caplog: pytest.LogCaptureFixture) -> None:
    instrumentor = SQLAlchemyInstrumentor()
    engine = FakeDatabase().engine()
    observer = observed(engine, name="orders", opentelemetry=told.settings())
    instrumentor.instrument(
        engine=engine, skip_dep_check=True, tracer_provider=told.tracer_provider
    )
    try:
        tick_twice(observer)
        assert said(caplog) == []
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1"))
        names = [span.name for span in told._exporter.get_finished_spans()]
        assert any(name.lower().startswith("select") for name in names)
    finally:
        instrumentor.uninstrument()


@pytest.mark.parametrize("absent", [True, False])
def test_nothing_is_said_where_it_is_not_installed_or_not_wanted(
    observed: Observe,
    told: Told,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    absent: bool,
) -> None:
    settings = told.settings(spans_above=0 if absent else None)
    if absent:

        def missing(name: str) -> None:
            raise PackageNotFoundError(name)

        monkeypatch.setattr(advice, "distribution", missing)
    tick_twice(observed(FakeDatabase().engine(), name="orders", opentelemetry=settings))
    assert said(caplog) == []


# -- OpenTelemetry's Prometheus exporter -------------------------------------------------------


@pytest.fixture
def provider() -> Iterator[MeterProvider]:
    provider = MeterProvider([PrometheusMetricReader()])
    yield provider
    provider.shutdown()


def shown() -> list[tuple[str, Any]]:
    """All series in the global registry that are ours."""
    families = text_string_to_metric_families(generate_latest(REGISTRY).decode())
    return [
        (sample.name, sample.labels)
        for family in families
        for sample in family.samples
        if sample.name == "db_client_connection_pending_requests"
    ]


def pool_names() -> list[str]:
    return [labels["db_client_connection_pool_name"] for _, labels in shown()]


def test_a_pool_is_shown_once_in_a_registry_that_shows_what_opentelemetry_is_told(
    observed: Observe, provider: MeterProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "pool_observer")
    told = OpenTelemetry(meter_provider=provider)
    observer = observed(FakeDatabase().engine(), name="both", opentelemetry=told)
    observed(FakeDatabase().engine(), name="ours")
    for _ in range(2):
        assert sorted(pool_names()) == ["both", "ours"]
    (record,) = caplog.records
    assert '"both" are shown by OpenTelemetry' in record.getMessage()
    observer.close()
    assert pool_names() == ["ours"]


def test_a_pool_of_which_only_spans_are_told_is_shown_by_us(
    observed: Observe, provider: MeterProvider
) -> None:
    told = OpenTelemetry(meter_provider=provider, metrics=False)
    observed(FakeDatabase().engine(), name="spans", opentelemetry=told)
    assert pool_names() == ["spans"]


def test_a_pool_that_opentelemetry_is_told_of_no_more_is_shown_by_us_again(
    observed: Observe, provider: MeterProvider
) -> None:
    observer = observed(FakeDatabase().engine(), name="orders")
    stop = export(observer, OpenTelemetry(meter_provider=provider))
    assert pool_names() == ["orders"]
    stop()
    assert pool_names() == ["orders"]
