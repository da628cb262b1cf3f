"""What a panel shows: signals, by what they are told apart, and in which kind of picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pool_observer.monitoring.scope import By, Scope
from pool_observer.monitoring.signal import Limit, Signal, Unit
from pool_observer.monitoring.signals import SIGNALS

COLOURS = {"warning": "orange", "critical": "red"}
"""What a limit looks like that is exceeded, by its severity."""


class Picture(StrEnum):
    """Grafana's kinds of panels, as far as we use them."""

    STAT = "stat"
    LINES = "timeseries"
    TABLE = "table"
    HEATMAP = "heatmap"
    STATES = "state-timeline"
    BARS = "bargauge"


@dataclass(frozen=True, slots=True)
class Shown:
    """A signal in a panel."""

    signal: str | Signal
    legend: str = ""
    """With `<pool>`, `<job>`, `<instance>` and names of other labels for their values."""
    by: By | None = None
    """What it is grouped by here; None for as usual."""
    window: str = ""
    """Over how long rates are taken: a threshold's name, or `$__range`. Empty for Grafana's."""
    worst: By | None = None
    """Of those that are the same in these labels only the worst is shown. None for all."""
    top: int = 0
    """Only so many are shown, the largest at any time; 0 for all."""
    exemplars: bool = False

    @property
    def asks(self) -> Signal:
        return SIGNALS[self.signal] if isinstance(self.signal, str) else self.signal

    def expression(self, scope: Scope) -> str:
        found = self.asks.expression(scope, self.by)
        if self.worst is not None:
            by = f" by ({scope.labels(self.worst)}) " if self.worst else ""
            found = f"{'min' if self.asks.good else 'max'}{by}({found})"
        return f"topk({self.top}, {found})" if self.top else found


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of signals. What it asks, and what to do when it is red, are those of the first."""

    title: str
    shown: tuple[Shown, ...]
    picture: Picture = Picture.LINES
    width: int = 8
    height: int = 8
    stacked: bool = False
    log: bool = False
    """Whether it shows milliseconds beside minutes."""
    nothing: str = ""
    """What it says when there is nothing to show, and that is good."""

    @property
    def first(self) -> Signal:
        return self.shown[0].asks

    @property
    def description(self) -> str:
        colours = " or ".join(COLOURS[limit.severity] for limit in self.limits)
        if self.first.good:
            colours = COLOURS["critical"]
        when = f"If it is {colours}" if colours else "What to make of it"
        return f"{self.first.question}\n\n**{when}:** {self.first.mend}"

    @property
    def unit(self) -> Unit:
        return self.first.unit

    @property
    def limits(self) -> tuple[Limit, ...]:
        return self.first.limits


@dataclass(frozen=True, slots=True)
class Row:
    """A heading, and the panels below it."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels."""

    key: str
    """Its file, and the end of its uid."""
    title: str
    description: str
    rows: tuple[Row, ...]
