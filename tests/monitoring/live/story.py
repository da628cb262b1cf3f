"""What happened, as Prometheus has it: told once, and asked about by every test."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.monitoring.live.phases import PHASES, Phase
from tests.monitoring.live.stage import Stage
from tests.monitoring.live.traffic import PAUSE
from tests.monitoring.live.watching import FIRING, Alert, Series, Watcher

ENOUGH = 1.25
"""Seconds of a trouble after which panels should show it."""


@dataclass(frozen=True)
class Told:
    """One phase that is over."""

    name: str
    began: float
    at: float
    """The height of the trouble: all its alerts have fired."""
    ended: float
    """Nothing fires any more."""
    alerts: list[Alert]
    """What has fired in it, in full."""


@dataclass(frozen=True)
class Story:
    watcher: Watcher
    instance: str
    replica: str
    phases: dict[str, Told]
    firing: list[Series]
    """Each alert with the moments at which it fired."""

    @property
    def began(self) -> float:
        return min(told.began for told in self.phases.values())

    @property
    def ended(self) -> float:
        return max(told.ended for told in self.phases.values())

    def first_fired(self, alert: str) -> float:
        moments = [
            moment
            for series in self.firing
            if series.labels["alertname"] == alert
            for moment in series.moments()
        ]
        return min(moments)

    def fired_in(self, alert: str) -> set[str]:
        """The phases in which the alert has fired."""
        return {name for name, told in self.phases.items() if alert in self.alerts_of(told)}

    def alerts_of(self, told: Told) -> set[str]:
        return {
            series.labels["alertname"]
            for series in self.firing
            if any(told.began < moment <= told.ended for moment in series.moments())
        }


def told_story(stage: Stage) -> Story:
    phases = {phase.name: _told(phase, stage) for phase in PHASES}
    first, last = phases[PHASES[0].name].began, phases[PHASES[-1].name].ended
    firing = stage.watcher.between(FIRING, first, last)
    return Story(stage.watcher, stage.service.target, stage.replica.target, phases, firing)


def _told(phase: Phase, stage: Stage) -> Told:
    began = time.time()
    stage.fired.clear()
    with stage.clients.asking(phase.traffic, pause=PAUSE):
        with phase.trouble(stage):
            begun = time.time()
            stage.until_fired(*phase.alerts)
            stage.until_scraped_since(begun, ENOUGH)
            at = time.time()
        stage.until_all_clear()
    return Told(phase.name, began, at, time.time(), list(stage.fired.values()))
