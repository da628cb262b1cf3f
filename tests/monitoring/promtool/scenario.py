"""A scenario: what processes export, and who is paged with which text, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What every alert is tried with, and what some are tried with beside."""

    FIRES = "fires"
    BELOW = "just below the limit it is silent"
    EARLY = "just before `for` it is silent"
    RECOVERS = "recovers"
    RESET = "counter reset"
    ONE_OF_FOUR = "one full worker of four"
    TWO_POOLS = "two pools"
    STALE = "stale target"
    BESIDE = "beside"


ALWAYS = frozenset(Kind) - {Kind.BESIDE}


@dataclass(frozen=True, slots=True)
class Page:
    """All that whoever is paged reads."""

    labels: dict[str, str]
    summary: str
    description: str
    runbook_url: str
    dashboard_url: str

    def expected(self) -> dict[str, Any]:
        return {
            "exp_labels": self.labels,
            "exp_annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": self.runbook_url,
                "dashboard_url": self.dashboard_url,
            },
        }


@dataclass(frozen=True, slots=True)
class Moment:
    """What fires at a time, and nothing else of that name."""

    at: str
    pages: tuple[Page, ...] = ()
    alert: str = ""
    """Another than the one that is tested."""


def silent(*times: str, alert: str = "") -> tuple[Moment, ...]:
    return tuple(Moment(time, alert=alert) for time in times)


def paged(at: str, *pages: Page, alert: str = "") -> Moment:
    return Moment(at, pages, alert)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test group of promtool."""

    kind: Kind
    series: list[dict[str, str]]
    moments: tuple[Moment, ...]
    says: str = ""
    """What is particular to it; above all why it is not quite of its kind."""
    interval: str = "1m"

    def group(self, alert: str) -> dict[str, Any]:
        return {
            "name": f"{self.kind}: {self.says}" if self.says else str(self.kind),
            "interval": self.interval,
            "input_series": self.series,
            "alert_rule_test": [
                {
                    "eval_time": moment.at,
                    "alertname": moment.alert or alert,
                    "exp_alerts": [page.expected() for page in moment.pages],
                }
                for moment in self.moments
            ],
        }


@dataclass(frozen=True, slots=True)
class Case:
    """All that one alert is tried with: a file."""

    alert: str
    scenarios: tuple[Scenario, ...]
    every: str = "1m"
    """How often rules are evaluated."""

    def document(self, *rules: str) -> dict[str, Any]:
        """By these files of rules, if not by those in the repository."""
        return {
            "rule_files": list(rules) or ["../pool_observer.rules.yaml"],
            "evaluation_interval": self.every,
            "tests": [scenario.group(self.alert) for scenario in self.scenarios],
        }
