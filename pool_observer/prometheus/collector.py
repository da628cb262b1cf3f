"""Answers a scrape from the ledgers: nothing is counted twice, and nothing between scrapes."""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family

from pool_observer.contract import CONTRACT
from pool_observer.observer import PoolObserver
from pool_observer.observers import Observers
from pool_observer.prometheus.families import PoolFamily
from pool_observer.state import PoolState

logger = logging.getLogger("pool_observer")

OPENTELEMETRY = "opentelemetry.exporter.prometheus"
"""The module of a collector that shows the same metrics under the same names."""


class PoolCollector:
    """The pools that one registry exports."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = weakref.ref(registry)
        self._has_said = False
        self.observers = Observers()

    def describe(self) -> Iterable[Family]:
        """The names, for the registry to compare with those it has."""
        return map(PoolFamily, CONTRACT)

    def collect(self) -> Iterator[Family]:
        """What a scrape sees: each pool at one instant, with all that has happened until then."""
        states = list(self._states())
        for metric in CONTRACT if states else ():
            yield PoolFamily(metric, states)

    def _states(self) -> Iterator[PoolState]:
        beside_opentelemetry = self._is_beside_opentelemetry()
        for observer in self.observers:
            if beside_opentelemetry and observer.told_to_opentelemetry:
                self._say_that_it_is_shown(observer.name)
                continue
            try:
                yield observer.snapshot()
            except Exception:
                observer.note_failure("answering a scrape")

    def _is_beside_opentelemetry(self) -> bool:
        """Whether OpenTelemetry shows what it is told in this registry too."""
        registry = self._registry()
        collectors = () if registry is None else list(registry._collector_to_names)
        return any(type(each).__module__ == OPENTELEMETRY for each in collectors)

    def _say_that_it_is_shown(self, pool: str) -> None:
        if not self._has_said:
            self._has_said = True
            logger.info(
                'The metrics of pool "%s" are shown by OpenTelemetry\'s Prometheus exporter in '
                "this registry, and so not by pool_observer as well, whose names are the same.",
                pool,
            )


class PoolCollectors:
    """The collectors of this process, one for each registry."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._collectors: weakref.WeakKeyDictionary[CollectorRegistry, PoolCollector] = (
            weakref.WeakKeyDictionary()
        )

    def on(self, registry: CollectorRegistry) -> PoolCollector:
        """The collector of this registry, made and registered if there is none yet."""
        with self._lock:
            collector = self._collectors.get(registry)
            if collector is None:
                collector = PoolCollector(registry)
                try:
                    registry.register(collector)
                except ValueError as error:
                    raise ValueError(
                        f"this Prometheus registry has metrics of our names already ({error}). "
                        "Export the pool to a registry of its own, "
                        "observe(engine, registry=CollectorRegistry()), or to none, "
                        "observe(engine, registry=None), or unregister those metrics first"
                    ) from None
                self._collectors[registry] = collector
            return collector

    def leave(self, registry: CollectorRegistry, observer: PoolObserver) -> None:
        """Export this pool no more; with the last one, leave the registry as it was."""
        with self._lock:
            collector = self._collectors.get(registry)
            if collector is None:
                return
            collector.observers.remove(observer)
            if not collector.observers:
                del self._collectors[registry]
                with contextlib.suppress(KeyError):  # somebody has done so already
                    registry.unregister(collector)


process_collectors = PoolCollectors()
"""Those of this process: several observers share a registry, and it must have each name once."""
