"""A dashboard with the answers to its queries, as the page draws it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus import Prometheus, QueryError, Span, timing
from variables import UnknownVariableError, Variables

COLUMNS = 24
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks what the panels of one dashboard ask."""

    prometheus: Prometheus
    variables: Variables
    span: Span
    scrape_interval: float
    width: int

    def filled(self, panel: Json) -> Json:
        """The panel with its answers, or with the reason why it has none."""
        drawn = {**panel, "answers": [], "problem": None}
        try:
            for name in ("title", "description"):
                drawn[name] = self.variables.in_title(panel.get(name, ""))
            for target in panel.get("targets", []):
                if not target.get("hide"):
                    drawn["answers"].append(self._answered(target, panel))
        except (QueryError, UnknownVariableError, httpx.HTTPError) as problem:
            drawn["problem"] = str(problem)
        return drawn

    def marks(self, annotation: Json) -> Json:
        """The answers of an annotation, from which the page makes marks on its time axes."""
        target = {**annotation, **annotation.get("target", {}), "refId": "Anno", "instant": False}
        return {**annotation, **self._answered(target, {})}

    def choices(self, variable: Json) -> list[str]:
        query = variable["query"]
        text = query["query"] if isinstance(query, dict) else query
        return self.prometheus.choices(text, self.variables, self.span)

    def _answered(self, target: Json, panel: Json) -> Json:
        share = panel.get("gridPos", {}).get("w", COLUMNS) / COLUMNS
        points = panel.get("maxDataPoints") or round(self.width * share)
        least = target.get("interval") or target.get("step") or panel.get("interval")
        steps = timing(self.span, points, self.scrape_interval, least)
        variables = self.variables.with_built_in(steps.variables(self.span))
        expression = variables.in_query(target["expr"])
        instant = bool(target.get("instant"))
        result = (
            self.prometheus.instant(expression, self.span)
            if instant
            else self.prometheus.range(expression, self.span, steps.step)
        )
        return {
            "target": target,
            "expression": expression,
            "instant": instant,
            "step": steps.step,
            "result": result,
        }


def laid_out(dashboard: Mapping[str, Any], open_rows: bool) -> Iterator[Json]:
    """The panels where they stand, those of closed rows only if these are to be opened."""
    below = 0
    for panel in sorted(dashboard["panels"], key=lambda each: each["gridPos"]["y"]):
        inner = panel.get("panels") or []
        opened = bool(inner) and open_rows
        yield _lowered({**panel, "collapsed": False} if opened else panel, below)
        if opened:
            top = panel["gridPos"]["y"] + 1
            lift = top - min(each["gridPos"]["y"] for each in inner)
            for each in inner:
                yield _lowered(each, below + lift)
            below += max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in inner) + lift - top


def alone(panel: Json) -> Json:
    return {**panel, "gridPos": {**panel["gridPos"], "x": 0, "y": 0}}


def _lowered(panel: Json, by: int) -> Json:
    place = panel["gridPos"]
    return {**panel, "gridPos": {**place, "y": place["y"] + by}}
