"""What `observe(..., opentelemetry=...)` takes. OpenTelemetry itself is not needed for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pool_observer.thresholds import Thresholds

_DEFAULTS = Thresholds()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTelemetry:
    """What is told to OpenTelemetry, and to whom."""

    spans_above: float | None = _DEFAULTS.span_after
    """Seconds from which on waits and holds become spans; 0 for all of them, None for none.

    Waits that fail, and holds that are overdue or lost, become spans however short they are.
    """
    tracer_provider: Any = None
    """Where the spans go; by default to the global provider."""
    meter_provider: Any = None
    """Where the metrics go; by default to the global provider."""
    metrics: bool = True
    """Whether metrics are told as well as spans."""

    def __post_init__(self) -> None:
        above = self.spans_above
        if above is None:
            return
        if isinstance(above, bool) or not isinstance(above, int | float) or not above >= 0:
            raise ValueError(
                f"spans_above must be a number of seconds, 0 for all spans or None for none, "
                f"not {above!r}"
            )
