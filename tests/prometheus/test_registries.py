"""Which registry has the figures of which pools, and until when."""

from __future__ import annotations

import gc

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter
from sqlalchemy import create_engine

from pool_observer import PoolObserver, observe
from tests.conftest import Observe
from tests.prometheus.scraped import POOL, Scraped


def test_the_global_registry_is_the_default(observed: Observe) -> None:
    observed(create_engine("sqlite://"), name="orders")
    assert Scraped.of(REGISTRY).of_pool("orders")


def test_without_a_registry_there_are_no_metrics(observed: Observe) -> None:
    observed(create_engine("sqlite://"), name="orders", registry=None)
    assert not Scraped.of(REGISTRY).of_pool("orders")


def test_several_pools_share_a_registry(observed: Observe) -> None:
    registry = CollectorRegistry()
    for name in ("orders", "users"):
        observed(create_engine("sqlite://"), name=name, registry=registry)
    families = list(registry.collect())
    assert len({family.name for family in families}) == len(families)
    scraped = Scraped(families)
    assert scraped.by(POOL, "db_client_connection_pending_requests") == {"orders": 0, "users": 0}


def test_two_pools_of_one_name_are_refused(observed: Observe) -> None:
    engine = create_engine("sqlite://")
    observed(engine, name="orders")
    with pytest.raises(ValueError, match='a pool named "orders" is already observed'):
        observe(create_engine("sqlite://"), name="orders", registry=CollectorRegistry())


def test_a_closed_observer_takes_its_series_along(observed: Observe) -> None:
    registry = CollectorRegistry()
    first = observed(create_engine("sqlite://"), name="orders", registry=registry)
    second = observed(create_engine("sqlite://"), name="users", registry=registry)
    first.close()
    assert not Scraped.of(registry).of_pool("orders")
    assert Scraped.of(registry).of_pool("users")
    second.close()
    assert Scraped.of(registry).samples == []
    assert registry._collector_to_names == {}


def test_an_engine_that_is_dropped_takes_its_series_along() -> None:
    registry = CollectorRegistry()

    def observe_and_forget() -> None:
        observe(create_engine("sqlite://"), name="dropped", registry=registry)

    observe_and_forget()
    gc.collect()
    assert Scraped.of(registry).samples == []


def test_a_pool_whose_engine_is_gone_has_no_series_whoever_keeps_its_observer() -> None:
    registry = CollectorRegistry()
    observer = observe(create_engine("sqlite://"), name="dropped", registry=registry)
    gc.collect()
    assert Scraped.of(registry).samples == []
    observer.close()


def test_the_same_name_can_be_observed_again(observed: Observe) -> None:
    registry = CollectorRegistry()
    for _ in range(3):
        with observed(create_engine("sqlite://"), name="orders", registry=registry):
            assert Scraped.of(registry).of_pool("orders")


def test_a_registry_that_has_our_names_is_refused_with_the_mend() -> None:
    registry = CollectorRegistry()
    Counter("pool_observer_checkouts", "Somebody else's.", registry=registry)
    engine = create_engine("sqlite://")
    with pytest.raises(ValueError, match=r"registry=CollectorRegistry\(\)") as raised:
        observe(engine, name="orders", registry=registry)
    assert "pool_observer_checkouts" in str(raised.value)
    # And nothing was begun.
    with observe(engine, name="orders", registry=CollectorRegistry()):
        pass


def test_what_is_no_registry_is_refused() -> None:
    with pytest.raises(TypeError, match="registry must be a prometheus_client"):
        observe(create_engine("sqlite://"), registry="default")  # type: ignore[arg-type]


def test_somebody_may_have_unregistered_us(observed: Observe) -> None:
    registry = CollectorRegistry()
    observer = observed(create_engine("sqlite://"), name="orders", registry=registry)
    (collector,) = registry._collector_to_names
    registry.unregister(collector)
    observer.close()


def test_a_pool_that_cannot_be_read_does_not_hide_the_others(
    observed: Observe, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = CollectorRegistry()
    broken = observed(create_engine("sqlite://"), name="broken", registry=registry)
    observed(create_engine("sqlite://"), name="orders", registry=registry)
    snapshot = PoolObserver.snapshot

    def fail_for_one(observer: PoolObserver) -> object:
        if observer is broken:
            raise ZeroDivisionError
        return snapshot(observer)

    monkeypatch.setattr(PoolObserver, "snapshot", fail_for_one)
    scraped = Scraped.of(registry)
    assert scraped.of_pool("orders")
    assert not scraped.of_pool("broken")
    monkeypatch.undo()
    assert broken.snapshot().totals.internal_errors == {"answering a scrape": 1}
