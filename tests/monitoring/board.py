"""A dashboard with the settings it was made with: every question that it asks, and of what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pool_observer.monitoring.settings import Settings
from tests.monitoring.expressions import examined
from tests.monitoring.grafana import (
    All,
    Json,
    Values,
    annotation_queries,
    expand,
    panels,
    targets,
    variable_queries,
    variables,
)
from tests.monitoring.known_series import Known
from tests.monitoring.prometheus_series import prometheus_series
from tests.monitoring.units import Result

INTERVAL, RATE_INTERVAL, RANGE = 15.25, 61.25, 3601.25
"""Seconds that nobody would write by hand: whoever has them has asked for the variable."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to Prometheus."""

    where: str
    written: str
    """As it is in the JSON."""
    expression: str
    """As PromQL, in which every variable stands for itself: `job=~"$job"`."""
    result: Result
    complaints: tuple[str, ...]
    target: Json = field(default_factory=dict)
    panel: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard to look at."""

    json: Json
    settings: Settings
    known: Known

    @classmethod
    def of(cls, json: Json, settings: Settings | None = None) -> Board:
        settings = settings or Settings()
        return cls(json, settings, prometheus_series(settings))

    @property
    def themselves(self) -> Values:
        """Variables that are expanded to their own names, so that they can still be seen."""
        return {each["name"]: All(f"${each['name']}") for each in variables(self.json)}

    def panel_questions(self) -> Iterator[Asked]:
        """What the panels ask, each in every target."""
        for panel in panels(self.json):
            for target in targets(panel):
                where = f"{panel.get('title')} {target.get('refId')}"
                yield self._asked(where, target.get("expr", ""), target, panel)

    def questions(self) -> Iterator[Asked]:
        """All, those of annotations and variables included."""
        yield from self.panel_questions()
        for annotation in annotation_queries(self.json):
            where = f"annotation {annotation['name']}"
            yield self._asked(where, annotation["expr"], {"legendFormat": _texts(annotation)}, {})
        for query in variable_queries(self.json):
            if query.expression is not None:
                where = f"variable {query.name}"
                # Only which series there are is asked, so a counter may be: as by `group`.
                written = f"group({query.expression})" if query.label else query.expression
                yield self._asked(where, written, {}, {})

    def _asked(self, where: str, written: str, target: Json, panel: Json) -> Asked:
        try:
            expression = expand(
                written,
                self.themselves,
                interval=INTERVAL,
                rate_interval=RATE_INTERVAL,
                range_=RANGE,
            )
        except LookupError as error:
            return Asked(where, written, "vector(0)", Result(), (str(error),), target, panel)
        result, complaints = examined(expression, self.known, self.settings.instance_label)
        return Asked(where, written, expression, result, tuple(complaints), target, panel)


def _texts(annotation: Any) -> str:
    """What an annotation shows of its series' labels."""
    tags = (f"{{{{{name}}}}}" for name in annotation.get("tagKeys", "").split(",") if name)
    return " ".join((annotation.get("titleFormat", ""), annotation.get("textFormat", ""), *tags))
