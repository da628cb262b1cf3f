"""What the service's own /metrics have counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

CHAT, NAIVE_CHAT, ITEMS = "POST /chat/{user_id}", "POST /naive/chat/{user_id}", "GET /items"
"""Holders: routes of the example service."""

_EXECUTING = "executing"


@dataclass(frozen=True, slots=True)
class Counted:
    """Since the service began, or between two looks at it; by holder."""

    checkouts: Counter[str]
    timed_out: Counter[str]
    blamed_seconds: Counter[str]
    """For how long others waited while this one held connections."""
    held_seconds: Counter[str]
    """By activity."""

    def since(self, before: Counted) -> Counted:
        """What has been counted in between."""
        return Counted(
            self.checkouts - before.checkouts,
            self.timed_out - before.timed_out,
            self.blamed_seconds - before.blamed_seconds,
            self.held_seconds - before.held_seconds,
        )

    @property
    def unused_share(self) -> float:
        """The share of the time connections were held in which they did nothing."""
        held = self.held_seconds.total()
        return 1 - self.held_seconds[_EXECUTING] / held if held else 0.0


def counted(metrics: str) -> Counted:
    """What a page of /metrics says."""
    figures: dict[str, Counter[str]] = {
        "pool_observer_checkouts_total": Counter(),
        "db_client_connection_timeouts_total": Counter(),
        "pool_observer_blamed_wait_seconds_total": Counter(),
        "pool_observer_activity_seconds_total": Counter(),
    }
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name in figures:
                by = sample.labels.get("activity") or sample.labels["holder"]
                # Counter is a count of ints to type checkers, and adds up whatever it is given.
                figures[sample.name][by] += sample.value  # type: ignore[assignment]
    checkouts, timed_out, blamed, held = figures.values()
    return Counted(checkouts, timed_out, blamed, held)
