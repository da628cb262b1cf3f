"""Thresholds as a sentence has them: `0.5` seconds are 500 ms, a ratio of `0.3` is 30 %."""

from __future__ import annotations

from dataclasses import fields

from pool_observer.thresholds import Thresholds

_SPANS = ("_for", "_window", "_recent", "_after", "_since")
_SECONDS = {
    "slow_wait", "queue_wait", "idle_in_transaction", "loop_lag", "recent",
    "pool_timeout_low", "pool_timeout_high", "pool_timeout_limit", "nat_recycle_low",
    "nat_recycle_high",
}  # fmt: skip


def in_words(name: str, thresholds: Thresholds) -> str:
    """The threshold with this name, and its unit."""
    value = float(getattr(thresholds, name))
    if name.endswith(_SPANS) or name in _SECONDS:
        return span_in_words(value)
    if "ratio" in name or name.endswith("_quantile"):
        return f"{value * 100:g} %"
    return f"{value:g}"


def span_in_words(seconds: float) -> str:
    """Seconds in the largest unit that needs no fraction: `2 min`, `90 s`, `500 ms`."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("days", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size} {unit}"
    return f"{milliseconds} ms"


def threshold_names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Thresholds))
