"""The error budget: what share of callers may time out, and how fast that is spent.

Windows of hours and days would read millions of samples at each evaluation. So rates over minutes
are recorded for the whole service, and the long windows are made of these.
"""

from __future__ import annotations

from dataclasses import dataclass

from pool_observer.monitoring.scope import SERVICE, Scope, duration
from pool_observer.monitoring.signals.errors import TIMEOUTS, WAITS


@dataclass(frozen=True, slots=True)
class Burn:
    """A budget that is spent too fast, now as well as for a long time."""

    kind: str
    """Of the thresholds: `fast`, `slow` or `steady`."""

    def factor(self, scope: Scope) -> float:
        return float(getattr(scope.settings.thresholds, f"{self.kind}_burn"))

    def windows(self, scope: Scope) -> tuple[str, str]:
        """The long one and the short one."""
        limits = scope.settings.thresholds
        long, short = (getattr(limits, f"{self.kind}_burn_{part}") for part in ("window", "recent"))
        return duration(long), duration(short)

    def expression(self, scope: Scope) -> str:
        """What is true while it is spent too fast over both."""
        bar = f"{self.factor(scope):g} * {scope.settings.thresholds.error_ratio:g}"
        long, short = (_ratio(window, scope) for window in self.windows(scope))
        return f"{long} > {bar}\nand\n{short} > {bar}"

    def records(self, scope: Scope) -> dict[str, str]:
        """What is recorded for it, in the order in which one is made of another."""
        base = _base(scope)
        minutes = scope.over(base)
        timeouts, waits = _rate("timeouts", scope), _rate("waits", scope)
        made = {
            timeouts: minutes.rate(SERVICE, TIMEOUTS),
            waits: minutes.rate(SERVICE, WAITS, part="_count"),
        }
        for window in self.windows(scope):
            made[_ratio(window, scope)] = (
                f"{timeouts}\n/\n{waits}"
                if window == base
                else f"sum_over_time({timeouts}[{window}])\n/\nsum_over_time({waits}[{window}])"
            )
        return made


def _base(scope: Scope) -> str:
    return duration(scope.settings.thresholds.fast_burn_recent)


def _rate(what: str, scope: Scope) -> str:
    return f"pool:{scope.settings.name}_{what}:rate{_base(scope)}"


def _ratio(window: str, scope: Scope) -> str:
    return f"pool:{scope.settings.name}_timeouts:ratio_rate{window}"
