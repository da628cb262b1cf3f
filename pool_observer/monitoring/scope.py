"""Asks for our metrics in PromQL: by their contract's names, and only with labels they have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pool_observer.contract import CONTRACT
from pool_observer.metric import POOL_LABEL, Kind, Metric
from pool_observer.monitoring.settings import Settings
from pool_observer.prometheus_names import label_names, prometheus_label, series_name

By = tuple[str, ...]
"""Labels to group by; `JOB`, `INSTANCE` and `POOL` stand for what the user calls them."""

JOB, INSTANCE, POOL = "(job)", "(instance)", "(pool)"
SERVICE: By = (JOB, POOL)
"""A pool, of all processes of a service together."""
PROCESS: By = (JOB, INSTANCE, POOL)
"""A pool in one process, or in those that are scraped as one."""
HOLDER: By = (*PROCESS, "holder")

_METRICS = {metric.name: metric for metric in CONTRACT}
_PARTS = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which series are asked, and over how long."""

    settings: Settings
    matchers: tuple[str, ...] = ()
    """What every series is asked with, beside the selector of the settings."""
    holder: str = ""
    """What those are asked with that have a holder."""
    rate_window: str = ""
    """Over how long rates are taken, if not as the settings say."""

    @property
    def window(self) -> str:
        return self.rate_window or duration(self.settings.thresholds.rate_window)

    def over(self, window: str) -> Scope:
        """The same over another window."""
        return Scope(self.settings, self.matchers, self.holder, window)

    def labels(self, by: By) -> str:
        """The labels to group by, as they are called here."""
        names = {
            JOB: ", ".join((*self.settings.keep, self.settings.job_label)),
            INSTANCE: self.settings.instance_label,
            POOL: prometheus_label(POOL_LABEL),
        }
        return ", ".join(names.get(label, label) for label in by)

    def series(self, name: str, *where: str, part: str = "") -> str:
        """The series of the metric with OpenTelemetry's name, where its labels match."""
        metric = _METRICS[name]
        if part not in _PARTS.get(metric.kind, ("",)):
            raise ValueError(f"{name} has no part {part!r}")
        _check_labels(metric, where, part)
        own = [self.holder] if self.holder and "holder" in metric.labels else []
        selector = [self.settings.selector.strip().rstrip(",")] if self.settings.selector else []
        matchers = ", ".join((*selector, *self.matchers, *own, *where))
        return f"{series_name(metric)}{part}" + (f"{{{matchers}}}" if matchers else "")

    def sum(self, by: By, name: str, *where: str) -> str:
        return f"sum by ({self.labels(by)}) ({self.series(name, *where)})"

    def most(self, by: By, name: str, *where: str) -> str:
        return f"max by ({self.labels(by)}) ({self.series(name, *where)})"

    def least(self, by: By, name: str, *where: str) -> str:
        return f"min by ({self.labels(by)}) ({self.series(name, *where)})"

    def rate(self, by: By, name: str, *where: str, part: str = "") -> str:
        """How much a total grows in a second."""
        series = self.series(name, *where, part=part)
        return f"sum by ({self.labels(by)}) (rate({series}[{self.window}]))"

    def fastest(self, by: By, name: str) -> str:
        """How much the total grows in a second that grows fastest."""
        return f"max by ({self.labels(by)}) (rate({self.series(name)}[{self.window}]))"

    def increase(self, by: By, name: str, *where: str, part: str = "") -> str:
        """How much a total has grown within the window."""
        series = self.series(name, *where, part=part)
        return f"sum by ({self.labels(by)}) (increase({series}[{self.window}]))"

    def born(self, by: By, name: str, *where: str) -> str:
        """What totals have come to that are new.

        One that is first seen above 0 has not grown, as far as `increase` can tell. It is not new
        where only some scrapes have failed.
        """
        series, limits = self.series(name, *where), self.settings.thresholds
        since, now = duration(limits.absent_since), duration(limits.rate_window)
        known = f"max_over_time({series}[{since}] offset {now})"
        return f"sum by ({self.labels(by)}) ({series} unless {known})"

    def quantile(self, quantile: float, by: By, name: str) -> str:
        """What that share of durations was below, by a histogram's buckets."""
        return f"histogram_quantile({quantile:g}, {self.rate((*by, 'le'), name, part='_bucket')})"


def duration(seconds: float) -> str:
    """A span of time as PromQL writes it: `5m`, `90s`, `250ms`."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for several values."""
    return f'{label}=~"{"|".join(values)}"'


def _check_labels(metric: Metric, where: tuple[str, ...], part: str) -> None:
    known = {*label_names(metric), *(("le",) if part == "_bucket" else ())}
    for matcher in where:
        label = matcher.split("=")[0].split("!")[0]
        if label not in known:
            raise ValueError(f"{metric.name} has no label {label}")
