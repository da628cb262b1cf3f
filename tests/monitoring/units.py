"""What an operation between two figures comes to: its unit, and whether it can be meant."""

from __future__ import annotations

from dataclasses import dataclass, replace

SHARE, QUOTIENT, PERCENT, EITHER = "share", "quotient", "percent", "either"
"""A metric that is a ratio; something that was divided by its like; those times 100; and what may
be a ratio or a number: seconds in a second, and what was divided by a plain number."""
_COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}


@dataclass(frozen=True, slots=True)
class Result:
    """What an expression gives."""

    labels: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    """Labels that have one value only, by the expression itself."""
    follow: frozenset[str] = frozenset()
    """Labels that follow from the others."""
    seconds: int | None = None
    """The power of seconds in its unit: 1 for seconds, -1 for so many a second; nothing for plain
    numbers, which go with anything."""
    buckets: int | None = None
    scale: str = ""
    one_worst: bool = False
    """Adding it up over processes means nothing."""
    adds_up: bool = False
    """Nothing else than adding it up over processes does."""
    scalar: bool = False
    number: float | None = None

    @property
    def is_share(self) -> bool:
        """Of a metric that is one, not what may be one because it was divided."""
        return self.scale == SHARE

    @property
    def is_percent(self) -> bool:
        return self.scale == PERCENT


def combined(
    how: str, left: Result, right: Result, labels: frozenset[str], *, to_bool: bool = False
) -> tuple[Result, list[str]]:
    """What the operation gives, and what is wrong with it."""
    many = right if left.scalar else left
    both = Result(
        labels=labels,
        pinned=many.pinned,
        follow=many.follow,
        seconds=left.seconds if left.seconds is not None else right.seconds,
        one_worst=left.one_worst or right.one_worst,
        adds_up=left.adds_up and right.adds_up,
        scalar=left.scalar and right.scalar,
    )
    if how in {"*", "/"}:
        return _product(how, left, right, both), []
    complaints = []
    if None not in (left.seconds, right.seconds) and left.seconds != right.seconds:
        complaints.append(f"{how} between figures of different units")
    if how not in _COMPARISONS:
        alike = left.scale == right.scale or left.scalar or right.scalar
        return replace(both, scale=many.scale if alike else "", buckets=many.buckets), complaints
    complaints += [*_mixed_up(left, right), *_mixed_up(right, left)]
    if to_bool:
        return replace(both, seconds=0, one_worst=False), complaints
    kept = replace(many, labels=labels, number=None)
    return replace(kept, scalar=both.scalar), complaints


def _product(how: str, left: Result, right: Result, both: Result) -> Result:
    plain = left.seconds is None and right.seconds is None
    sign = 1 if how == "*" else -1
    seconds = None if plain else (left.seconds or 0) + sign * (right.seconds or 0)
    scale = left.scale or right.scale if left.scalar or right.scalar else ""
    if how == "/" and left.seconds == right.seconds and not plain:
        scale = QUOTIENT
    elif how == "/" and right.seconds is None and not scale:
        scale = EITHER
    if scale and how == "*" and 100 in (left.number, right.number):
        scale = PERCENT
    elif scale == SHARE:
        scale = QUOTIENT  # a share of something else, such as of a limit
    return replace(both, seconds=seconds, scale=scale)


def _mixed_up(side: Result, other: Result) -> list[str]:
    limit = abs(other.number or 0)
    if side.scale in {SHARE, QUOTIENT} and limit > 2:
        return [f"a ratio is compared with {limit:g}, as if in percent"]
    if side.is_percent and 0 < limit <= 1:
        return [f"percent are compared with {limit:g}, as if a ratio"]
    return []
