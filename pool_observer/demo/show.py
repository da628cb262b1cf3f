"""A pool's state as a few lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pool_observer.model import NANOSECONDS, Activity, Hold, Outcome
from pool_observer.state import PoolState

MOST_LINES = 5


def lines(state: PoolState) -> Iterator[str]:
    """Who holds and who waits, now."""
    limit = "" if state.max is None else f" of {state.max}"
    yield f"  {state.used}{limit} connections used, {state.waiting} callers waiting" + (
        f", the first for {state.oldest_wait_seconds:.1f} s" if state.waiting else ""
    )
    groups: dict[tuple[str, str, Activity, str | None], list[Hold]] = {}
    for hold in state.open_holds:
        group = hold.holder, str(hold.call_site), hold.activity, hold.limit_reason
        groups.setdefault(group, []).append(hold)
    for (holder, call_site, activity, reason), holds in list(groups.items())[:MOST_LINES]:
        yield (
            f"    {len(holds):2} x {holder:<12} {activity.replace('_', ' '):<14} "
            f"up to {holds[0].seconds:4.1f} s   {call_site}"
            + ("" if reason is None else f"   (expected: {reason})")
        )


def summary(state: PoolState) -> Iterator[str]:
    """What it came to, by holder."""
    yield f"  {'holder':<12} {'connections':>11} {'waited':>9} {'held':>9}   of which"
    for holder, totals in sorted(state.totals.holders.items()):
        held = sum(totals.activity_ns.values()) or 1
        shares = Counter(totals.activity_ns)
        split = ", ".join(
            f"{shares[activity] / held:.0%} {activity.replace('_', ' ')}" for activity in Activity
        )
        timed_out = totals.waits.get(Outcome.TIMED_OUT, 0)
        yield (
            f"  {holder:<12} {totals.checkouts:>11} {totals.queue_ns / NANOSECONDS:>7.1f} s "
            f"{held / NANOSECONDS:>7.1f} s   {split}"
            + (f"; {timed_out} timed out" if timed_out else "")
        )
