"""A question about pools: how Prometheus is asked it, and from where on the answer is bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pool_observer.monitoring.scope import By, Scope
from pool_observer.thresholds import Thresholds

# Of thousands, neither of the two alone is what people write: 2.5k, and 0.53.
_COUNTED = (
    "{{ if ge $value 1000.0 }}{{ $value | humanize }}"
    '{{ else }}{{ $value | printf "%.3g" }}{{ end }}'
)

Ask = Callable[[Scope, By], str]
"""The expression, and what it is to be grouped by."""


class Unit(StrEnum):
    """What figures are counted in, as Grafana calls it."""

    RATIO = "percentunit"
    SECONDS = "s"
    COUNT = "short"
    PER_SECOND = "ops"
    YES_OR_NO = "bool_yes_no"

    @property
    def template(self) -> str:
        """How a value is written in the text of an alert."""
        return {
            Unit.RATIO: "{{ $value | humanizePercentage }}",
            Unit.SECONDS: "{{ $value | humanizeDuration }}",
        }.get(self, _COUNTED)


@dataclass(frozen=True, slots=True)
class Limit:
    """From where on it is bad, and how bad."""

    field: str
    """The threshold's name; empty where anything above 0 is bad."""
    severity: str = "critical"
    """That of an alert: `critical` or `warning`."""

    def value(self, thresholds: Thresholds) -> float:
        return float(getattr(thresholds, self.field)) if self.field else 0.0


NEVER = (Limit("", "warning"),)
"""Of what should not happen at all."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What panels show and alerts watch."""

    question: str
    """In one sentence, for who sees it the first time."""
    mend: str
    """What to do if it is red."""
    ask: Ask
    by: By
    """What it is grouped by where nobody says otherwise."""
    unit: Unit = Unit.COUNT
    limits: tuple[Limit, ...] = ()
    """From the lowest on."""
    born: Ask | None = None
    """The same, of totals that are first seen above 0."""
    good: bool = False
    """Whether more is better: 1 is good, and 0 is bad."""

    def expression(self, scope: Scope, by: By | None = None) -> str:
        return self.ask(scope, self.by if by is None else by)
