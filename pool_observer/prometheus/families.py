"""Our metrics under Prometheus's names, which follow from OpenTelemetry's by fixed rules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from prometheus_client import Metric as Family
from prometheus_client.samples import Exemplar as ShownExemplar
from prometheus_client.samples import Sample

from pool_observer.buckets import Bounds
from pool_observer.metric import Metric
from pool_observer.prometheus.text import go_string
from pool_observer.prometheus_names import family_name, label_names, series_name, unit_of
from pool_observer.state import Distribution, Exemplar, PoolState

Labels = dict[str, str]


@cache
def upper_bounds(bounds: Bounds) -> tuple[str, ...]:
    """The buckets as `le` has them."""
    return (*map(go_string, bounds), "+Inf")


def exemplar_labels(exemplar: Exemplar) -> Labels:
    """What says where to look an exemplar up."""
    return {"trace_id": exemplar.trace.trace_id, "span_id": exemplar.trace.span_id}


class PoolFamily(Family):
    """A metric with the series of some pools, as prometheus_client has it.

    Its samples are not made before somebody wants them.
    """

    def __init__(self, metric: Metric, states: Sequence[PoolState] = ()) -> None:
        self._samples: list[Sample] | None = None
        super().__init__(family_name(metric), metric.help, metric.kind.value, unit_of(metric))
        self.metric = metric
        self.states = states

    @property
    def samples(self) -> list[Sample]:
        if self._samples is None:
            self._samples = _samples(self.metric, self.states)
        return self._samples

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        self._samples = samples or None  # none is what it begins with


def _samples(metric: Metric, states: Sequence[PoolState]) -> list[Sample]:
    samples: list[Sample] = []
    name, names = series_name(metric), label_names(metric)
    for state in states:
        for values, figure in metric.read(state):
            labels = dict(zip(names, (state.name, *values), strict=True))
            if isinstance(figure, Distribution):
                samples += _histogram(name, labels, figure)
            else:
                samples.append(Sample(name, labels, float(figure)))
    return samples


def _histogram(name: str, labels: Labels, distribution: Distribution) -> list[Sample]:
    bucket = f"{name}_bucket"
    exemplars = distribution.exemplars
    samples = [
        Sample(bucket, {**labels, "le": bound}, float(count))
        for bound, count in zip(
            upper_bounds(distribution.bounds), accumulate(distribution.counts), strict=True
        )
    ]
    for number, exemplar in exemplars.items():
        shown = ShownExemplar(exemplar_labels(exemplar), exemplar.seconds, exemplar.at)
        samples[number] = samples[number]._replace(exemplar=shown)
    samples.append(Sample(f"{name}_count", labels, float(distribution.count)))
    samples.append(Sample(f"{name}_sum", labels, distribution.sum_seconds))
    return samples
