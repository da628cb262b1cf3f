"""Keeps a pool's figures where prometheus_client's multi-process mode wants them.

There each worker writes into files of its own, and whoever is scraped adds up all of them. A
collector that is asked for its figures knows of one worker only. So once a second the
watchdog copies the totals into prometheus_client's values; only what has changed is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from prometheus_client import values

from pool_observer.contract import CONTRACT
from pool_observer.metric import Across, Kind, Metric
from pool_observer.prometheus.families import upper_bounds
from pool_observer.prometheus.presence import Presence
from pool_observer.prometheus_names import family_name, label_names, series_name
from pool_observer.state import Distribution, PoolState

ROOM_NEEDED = 4 << 20
"""Bytes that must be free where series are added. prometheus_client maps its files into memory
before they are filled, and a process that writes to such a page on a full disk is killed."""

MODES = {Across.SUM: "livesum", Across.WORST: "livemax", Across.LEAST: "livemin"}


class Mirror:
    """The figures of one pool in this process, as prometheus_client's values."""

    def __init__(self, directory: Path, presence: Presence) -> None:
        self._directory = directory
        self._presence = presence
        self._series: dict[tuple[str, tuple[str, ...]], _Series] = {}
        self._pid = os.getpid()

    def write(self, state: PoolState, *, gauges: bool = True) -> None:
        """Write what the pool is at now; without `gauges`, those as 0.

        Raises OSError where there is no place to write to. What there is a place for has been
        written then.
        """
        check_directory(self._directory)
        self._presence.announce(self._directory)
        self._presence.remove_the_dead(self._directory)
        if self._pid != os.getpid():
            # prometheus_client begins with files of this process's own now.
            check_room(self._directory)
            self._pid = os.getpid()
            for series in self._series.values():
                series.begin()
        gauges_left = {key for key, series in self._series.items() if series.is_gauge}
        new: list[tuple[Metric, tuple[str, ...], float | Distribution]] = []
        for metric in CONTRACT:
            if metric.kind is Kind.GAUGE and not gauges:
                continue
            for labels, figure in metric.read(state):
                key = metric.name, labels
                if key in self._series:
                    self._series[key].write(figure)
                    gauges_left.discard(key)
                else:
                    new.append((metric, labels, figure))
        for key in gauges_left:
            self._series[key].write(0)
        if new:
            check_room(self._directory)
        for metric, labels, figure in new:
            series = _Series(metric, (state.name, *labels), figure)
            series.write(figure)
            self._series[metric.name, labels] = series

    def withdraw(self) -> None:
        """Write all gauges as 0: there is no taking a series away."""
        for series in self._series.values():
            if series.is_gauge:
                series.write(0)


class _Series:
    """One series. A distribution is several of prometheus_client's values, others are one."""

    __slots__ = ("_bases", "_figures", "_values", "is_gauge")

    _bases: list[float]
    _figures: list[float]

    def __init__(self, metric: Metric, labels: tuple[str, ...], figure: object) -> None:
        self.is_gauge = metric.kind is Kind.GAUGE
        if isinstance(figure, Distribution):
            self._values = _histogram_values(metric, labels, upper_bounds(figure.bounds))
        else:
            mode = MODES[metric.across] if self.is_gauge else ""
            self._values = [_value(metric, series_name(metric), label_names(metric), labels, mode)]
        self.begin()

    def begin(self) -> None:
        """Begin with what the file has: it may be from an earlier process of the same ID."""
        found = [value.get() for value in self._values]
        nothing = [0.0] * len(found)
        # What only grows goes on from there; a gauge is simply written anew.
        self._bases, self._figures = (nothing, found) if self.is_gauge else (found, nothing)

    def write(self, figure: float | Distribution) -> None:
        """Write what has changed."""
        figures: Iterable[float]
        if isinstance(figure, Distribution):
            figures = (figure.sum_seconds, *figure.counts)
        else:
            figures = (figure,)
        for number, new in enumerate(figures):
            if new != self._figures[number]:
                self._values[number].set(self._bases[number] + new)
                self._figures[number] = new


def _value(
    metric: Metric, name: str, names: tuple[str, ...], labels: tuple[str, ...], mode: str = ""
) -> Any:
    make: Callable[..., Any] = values.ValueClass
    return make(
        metric.kind.value, family_name(metric), name, names, labels, metric.help,
        multiprocess_mode=mode,
    )  # fmt: skip


def _histogram_values(
    metric: Metric, labels: tuple[str, ...], bounds: tuple[str, ...]
) -> list[Any]:
    """The sum, and the count of each bucket by itself: prometheus_client accumulates them."""
    name, names = series_name(metric), label_names(metric)
    return [
        _value(metric, f"{name}_sum", names, labels),
        *(_value(metric, f"{name}_bucket", (*names, "le"), (*labels, bound)) for bound in bounds),
    ]


def check_directory(directory: Path) -> None:
    """Raise where no file can be written."""
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is not a directory")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(f"{directory} cannot be written to")


def check_room(directory: Path) -> None:
    """Raise where a file could not be filled."""
    if hasattr(os, "statvfs"):
        space = os.statvfs(directory)
        if space.f_flag & getattr(os, "ST_RDONLY", 0):
            raise PermissionError(f"{directory} is mounted read-only")
        if space.f_bavail * space.f_frsize < ROOM_NEEDED:
            raise OSError(f"{directory} has less than {ROOM_NEEDED >> 20} MiB free")
