"""What Grafana asks a Prometheus: in which steps, over which time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import httpx
from variables import Variables

SCRAPES_OF_A_RATE = 4
"""The least number of scrapes that `$__rate_interval` spans, as Grafana has it."""

_STEPS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
_LONG_STEPS = (600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)

_LABEL_VALUES = re.compile(r"label_values\((?:(?P<series>.+),)?\s*(?P<label>\w+)\s*\)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class QueryError(Exception):
    """Prometheus has refused a query."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is looked at."""

    first: float
    last: float

    @property
    def seconds(self) -> float:
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Timing:
    """The steps of one query."""

    step: float
    rate: float

    def variables(self, span: Span) -> dict[str, str]:
        whole = max(1, round(span.seconds))
        return {
            "__interval": duration(self.step),
            "__interval_ms": str(round(self.step * 1000)),
            "__rate_interval": duration(self.rate),
            "__rate_interval_ms": str(round(self.rate * 1000)),
            "__range": f"{whole}s",
            "__range_s": str(whole),
            "__range_ms": str(whole * 1000),
        }


def timing(span: Span, points: int, scrape_interval: float, least: str | None) -> Timing:
    """The steps for so many points, of which none is shorter than the interval of the scrapes."""
    scrape = seconds_of(least) if least else scrape_interval
    step = max(_rounded(span.seconds / max(points, 1)), scrape)
    return Timing(step, max(step + scrape, SCRAPES_OF_A_RATE * scrape))


def duration(seconds: float) -> str:
    """In whole seconds where it can be, as that is what one would write."""
    return f"{round(seconds)}s" if seconds == round(seconds) else f"{round(seconds * 1000)}ms"


def seconds_of(text: str) -> float:
    number, unit = re.fullmatch(r">?([\d.]+)(ms|s|m|h|d)", text).groups()  # type: ignore[union-attr]
    return float(number) * _SECONDS[unit]


def _rounded(seconds: float) -> float:
    steps = (*_STEPS, *_LONG_STEPS)
    return min(steps, key=lambda step: abs(math.log(step / max(seconds, steps[0]))))


class Prometheus:
    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def range(self, expression: str, span: Span, step: float) -> Any:
        """The series over the time, at multiples of the step as Grafana has it."""
        first, last = (math.floor(moment / step) * step for moment in (span.first, span.last))
        return self._ask(
            "query_range", query=expression, start=f"{first:.3f}", end=f"{last:.3f}", step=str(step)
        )

    def instant(self, expression: str, span: Span) -> Any:
        return self._ask("query", query=expression, time=f"{span.last:.3f}")

    def choices(self, query: str, variables: Variables, span: Span) -> list[str]:
        """The values that a query variable offers."""
        asked = _LABEL_VALUES.fullmatch(variables.in_query(query).strip())
        if asked is None:
            raise QueryError(f"a variable that is not of label_values: {query}")
        matching = {"match[]": asked["series"].strip()} if asked["series"] else {}
        within = {"start": f"{span.first:.3f}", "end": f"{span.last:.3f}"}
        values: list[str] = self._ask(f"label/{asked['label']}/values", **matching, **within)
        return values

    def _ask(self, what: str, **parameters: str) -> Any:
        answer = self._client.get(f"/api/v1/{what}", params=parameters).json()
        if answer["status"] != "success":
            raise QueryError(answer["error"])
        data = answer["data"]
        return data["result"] if isinstance(data, dict) else data
