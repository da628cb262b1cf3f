"""Adds up what all workers have written, and writes it as text.

The files are prometheus_client's, and so are the rules by which they are added up; but its
`MultiProcessCollector` makes several objects of every figure of every worker, for hundreds of
milliseconds, and then has the garbage collector go through them while the event loop waits.
Here a series that was there at the last scrape costs one addition for each worker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from prometheus_client.mmap_dict import MmapedDict

from pool_observer.prometheus.text import escaped, go_string, heading, histogram, line
from pool_observer.prometheus.turns import Turns

KINDS = ("counter", "gauge", "histogram", "summary")
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")

AT_A_TIME = 64
"""Figures that are added up before it is time to look at the clock."""


class UnusualError(Exception):
    """There is something in the files that we leave to prometheus_client."""


Figures = dict[str, float]
"""What the files have, by their keys."""

Entry = tuple[str, float, float, int]
"""A key, its value, when it was written if that matters, and where."""


class File(NamedTuple):
    """What a file's name says of its contents."""

    kind: str
    mode: str
    """How gauges of several workers are put together."""
    pid: str


class Series:
    """What a key in a file says, and how it is written."""

    __slots__ = ("bound", "family", "help", "labels", "name")

    def __init__(self, key: str, kind: str) -> None:
        self.family, self.name, labels, self.help = json.loads(key)
        self.bound: str | None = labels.pop("le", None) if kind == "histogram" else None
        if not all(map(NAME.fullmatch, (self.family, self.name, *labels))):
            raise UnusualError(f"{self.name} has to be escaped")
        self.labels = ",".join(
            f'{name}="{escaped(value)}"' for name, value in sorted(labels.items())
        )


class Observations:
    """One series of a histogram."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self) -> None:
        self.bounds: list[float] = []
        self.counts: list[float] = []
        self.sum: float | None = None


class Family:
    """What is to be written of one metric."""

    __slots__ = ("help", "kind", "lines", "observations")

    def __init__(self, kind: str, help_text: str) -> None:
        self.kind = kind
        self.help = help_text
        self.lines: list[str] = []
        self.observations: dict[str, Observations] = {}
        """Those of a histogram, by the labels of the series."""

    def add(self, series: Series, pid: str, figure: float) -> None:
        """Add a figure of one of its series."""
        if self.kind == "histogram":
            observations = self.observations.get(series.labels)
            if observations is None:
                observations = self.observations[series.labels] = Observations()
            if series.bound is None:
                observations.sum = figure
            else:
                observations.bounds.append(float(series.bound))
                observations.counts.append(figure)
            return
        labels = series.labels
        if pid:
            labels = f'{labels},pid="{pid}"' if labels else f'pid="{pid}"'
        self.lines.append(line(series.name, labels, figure))


class Workers:
    """The figures of all workers that share a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._known: dict[str, Series] = {}

    def write(self, turns: Turns, *, openmetrics: bool) -> Iterator[str]:
        """All metrics; or UnusualError at once, if they are to be left to prometheus_client."""
        families = self._families(turns)
        for name, family in families.items():
            yield from heading(name, family.kind, family.help, openmetrics=openmetrics)
            yield from family.lines
            turns.pause()
            for labels, observations in family.observations.items():
                buckets = sorted(zip(observations.bounds, observations.counts, strict=True))
                bounds = ((go_string(bound), count) for bound, count in buckets)
                yield from histogram(name, labels, bounds, observations.sum)
                turns.pause()

    def _families(self, turns: Turns) -> dict[str, Family]:
        if not self.directory.is_dir():
            raise NotADirectoryError(f"{self.directory} is not a directory")
        known = self._known
        seen: dict[str, Series] = {}
        families: dict[str, Family] = {}
        for file, figures in self._figures(turns).items():
            for key, figure in figures.items():
                series = seen.get(key)
                if series is None:
                    series = seen[key] = known.get(key) or Series(key, file.kind)
                family = families.get(series.family)
                if family is None:
                    family = families[series.family] = Family(file.kind, series.help)
                family.add(series, file.pid, figure)
                turns.pause()
        self._known = seen  # and forget what is not there any more
        return families

    def _figures(self, turns: Turns) -> dict[File, Figures]:
        """The figures by key, put together over the workers."""
        figures: dict[File, Figures] = {}
        written_at: Figures = {}
        # Always in the same order: floats that are added up in another one may come to less.
        for path in sorted(self.directory.glob("*.db")):
            file = _file(path)
            together = _TOGETHER[file.mode]
            into = figures.setdefault(file, {})
            entries = _entries(path, file)
            while batch := list(islice(entries, AT_A_TIME)):
                together(into, batch, written_at)
                turns.pause()
        return figures


def _file(path: Path) -> File:
    kind, *rest = path.stem.split("_")
    mode, pid = rest[:2] if kind == "gauge" and len(rest) >= 2 else ("sum", "")
    mode = mode.removeprefix("live")
    if kind not in KINDS or mode not in _TOGETHER:
        raise UnusualError(path.name)
    return File(kind, mode, pid if mode == "all" else "")


def _entries(path: Path, file: File) -> Iterator[Entry]:
    try:
        return iter(MmapedDict.read_all_values_from_file(str(path)))  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        if file.kind == "gauge":
            return iter(())  # its worker is dead, and somebody has noticed just now
        raise


# -- how figures are put together ------------------------------------------------------------


def _sum(figures: Figures, entries: list[Entry], _: Figures) -> None:
    for key, value, _timestamp, _position in entries:
        figures[key] = figures.get(key, 0.0) + value


def _min(figures: Figures, entries: list[Entry], _: Figures) -> None:
    for key, value, _timestamp, _position in entries:
        figures[key] = min(value, figures.get(key, value))


def _max(figures: Figures, entries: list[Entry], _: Figures) -> None:
    for key, value, _timestamp, _position in entries:
        figures[key] = max(value, figures.get(key, value))


def _last(figures: Figures, entries: list[Entry], written_at: Figures) -> None:
    for key, value, timestamp, _position in entries:
        if timestamp > written_at.get(key, 0.0):
            figures[key], written_at[key] = value, timestamp


def _each(figures: Figures, entries: list[Entry], _: Figures) -> None:
    for key, value, _timestamp, _position in entries:
        figures[key] = value


_TOGETHER: dict[str, Callable[[Figures, list[Entry], Figures], None]] = {
    "sum": _sum,
    "min": _min,
    "max": _max,
    "mostrecent": _last,
    "all": _each,
}
