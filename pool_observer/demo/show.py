"""What it came to, as a few lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pool_observer.model import NANOSECONDS, Activity, Outcome
from pool_observer.state import PoolState


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
