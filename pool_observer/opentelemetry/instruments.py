"""Our metrics as instruments of OpenTelemetry, under the same names and with the same figures.

Totals and states are read when a reader collects. Durations have to be recorded one by one,
which is done by who tells listeners; a collection brings them up to date first.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, MeterProvider, Observation

from pool_observer.contract import CONTRACT
from pool_observer.delivery import PATIENCE
from pool_observer.metric import POOL_LABEL, Across, Kind, Metric
from pool_observer.observers import Observers
from pool_observer.opentelemetry.scope import SCOPE, scope_version
from pool_observer.state import Distribution, PoolState


class Instruments:
    """Our instruments on one meter provider, for all the pools that are told to it.

    OpenTelemetry has no way to take an instrument back. When the last of its observers is
    closed, they have nothing more to say.
    """

    def __init__(self, meter_provider: MeterProvider | None) -> None:
        self.observers = Observers()
        self._states: list[PoolState] = []
        self._read_since: set[str] = set()
        self.histograms: dict[str, Histogram] = {}
        meter = metrics.get_meter(SCOPE, scope_version(), meter_provider=meter_provider)
        for metric in CONTRACT:
            if metric.kind is Kind.HISTOGRAM:
                self.histograms[metric.name] = meter.create_histogram(
                    metric.name,
                    metric.unit,
                    metric.help,
                    explicit_bucket_boundaries_advisory=metric.bounds,
                )
            else:
                callbacks = [partial(self._read, metric)]
                _creator(meter, metric)(metric.name, callbacks, metric.unit, metric.help)

    def _read(self, metric: Metric, _: CallbackOptions) -> Iterator[Observation]:
        # A collection asks for one instrument after the other, and all are to speak of the
        # same instant. When it asks for the same one again, it is another collection.
        if not self._read_since or metric.name in self._read_since:
            self._read_since.clear()
            self._states = list(self._look())
        self._read_since.add(metric.name)
        for state in self._states:
            for values, figure in metric.read(state):
                if not isinstance(figure, Distribution):
                    yield Observation(figure, attributes_of(state.name, metric, values))

    def _look(self) -> Iterator[PoolState]:
        for observer in self.observers:
            try:
                observer.deliver(PATIENCE)  # durations, which a reader collects after this
                yield observer.snapshot()
            except Exception:
                observer.note_failure("telling OpenTelemetry")


def _creator(meter: Meter, metric: Metric) -> Callable[..., Any]:
    if metric.kind is Kind.COUNTER:
        return meter.create_observable_counter
    # What several workers add up to can be added up; what is the worst of them cannot.
    if metric.across is Across.SUM:
        return meter.create_observable_up_down_counter
    return meter.create_observable_gauge


def attributes_of(pool: str, metric: Metric, values: Iterable[str]) -> dict[str, str]:
    """The attributes of a series."""
    return {POOL_LABEL: pool, **dict(zip(metric.labels, values, strict=True))}


class InstrumentsByProvider:
    """The instruments of this process: several observers share those of one provider."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        # The global provider may be set later; until then OpenTelemetry has a stand-in for it,
        # which passes on what it was asked for.
        self._on_the_global_one: Instruments | None = None
        # A provider keeps the instruments that were made on it, by their callbacks.
        self._instruments: weakref.WeakKeyDictionary[MeterProvider, weakref.ref[Instruments]] = (
            weakref.WeakKeyDictionary()
        )

    def on(self, meter_provider: MeterProvider | None) -> Instruments:
        """The instruments on this provider, made if there are none yet."""
        with self._lock:
            the_global_one = metrics.get_meter_provider()
            known = self._instruments.get(meter_provider or the_global_one, lambda: None)()
            if known is not None:
                return known
            if meter_provider is None or meter_provider is the_global_one:
                self._on_the_global_one = self._on_the_global_one or Instruments(None)
                return self._on_the_global_one
            made = Instruments(meter_provider)
            self._instruments[meter_provider] = weakref.ref(made)
            return made


process_instruments = InstrumentsByProvider()
"""Those of this process."""
