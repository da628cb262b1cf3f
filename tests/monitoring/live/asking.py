"""What Grafana asks for the panels, and what the story has for an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pool_observer.monitoring.dashboards import dashboards
from tests.monitoring.grafana import Values, everything, expand, panels, rate_interval, targets
from tests.monitoring.interpolation import variables_in
from tests.monitoring.live.accelerated import EXPORTER_SECONDS, SCRAPE_SECONDS, accelerated
from tests.monitoring.live.story import Story, Told
from tests.monitoring.live.watching import Series

AROUND = 1.0
"""Seconds before the height of a trouble, within which a panel has to show it."""

DASHBOARDS = dashboards(accelerated())


@dataclass(frozen=True)
class Question:
    """One target of a panel."""

    dashboard: str
    panel: str
    ref: str
    target: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.name}"

    @property
    def name(self) -> str:
        return f"{self.panel} {self.ref}"

    @property
    def everything(self) -> Values:
        return everything(DASHBOARDS[self.dashboard])

    def expression(self, values: Values) -> str:
        return expand(
            self.target["expr"],
            values,
            interval=SCRAPE_SECONDS,
            rate_interval=rate_interval(SCRAPE_SECONDS, EXPORTER_SECONDS),
            range_=4,
        )

    def depends_on(self, variable: str) -> bool:
        return variable in variables_in(self.target["expr"])

    def answer(self, story: Story, values: Values) -> list[Series]:
        """What it shows of all the story."""
        return story.watcher.between(self.expression(values), story.began, story.ended)

    def figures(self, story: Story, values: Values, told: Told) -> list[float]:
        """What it shows of one phase until its height."""
        return self._figures(story, values, told, told.at - told.began)

    def figures_at_height(self, story: Story, values: Values, told: Told) -> list[float]:
        return self._figures(story, values, told, AROUND)

    def _figures(self, story: Story, values: Values, told: Told, until: float) -> list[float]:
        # Steps are counted from the first, and the last has to be the height itself.
        steps = int(until / SCRAPE_SECONDS)
        first = told.at - steps * SCRAPE_SECONDS
        answer = story.watcher.between(self.expression(values), first, told.at)
        figures = (figure for series in answer for _, figure in series.samples)
        return [figure for figure in figures if not math.isnan(figure)]


QUESTIONS = [
    Question(name, panel["title"], target["refId"], target)
    for name, dashboard in DASHBOARDS.items()
    for panel in panels(dashboard)
    for target in targets(panel)
]
