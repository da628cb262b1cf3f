"""What both acts came to, beside what was published."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from pool_observer.demo.act import Act
from pool_observer.demo.counted import Counted
from pool_observer.demo.figures import Figures, Kind
from pool_observer.demo.terminal import Screen

P95 = 0.95

PUBLISHED = {
    "CRUD p95": ("4200 ms", "52 ms"),
    "LLM p95": ("3200 ms", "3100 ms"),
    "requests answered/min": ("~1200", "~1950"),
    "time-outs/min": ("142", "0"),
    "most connections in use": ("15", "22"),
}
"""Figures of the experiment as others have published it; ours are measured anew in each run."""

_ALONE = "CRUD p95, a user alone"
"""What both acts begin with, and are to be compared to."""

_WORTH_BLAME = 1.0
"""Seconds that others have waited, below which nobody is to blame."""


def table(naive: Act, fixed: Act, screen: Screen) -> Iterator[str]:
    """Lines of at most 80 characters."""
    yield f"{'':<25}{'measured here':>26}{'as published':>26}"
    yield screen.styled(f"{'':<25}{'naive':>13}{'fixed':>13}{'before':>13}{'after':>13}", "bold")
    for label, before, after in _rows(naive, fixed):
        published = "".join(f"{each:>13}" for each in PUBLISHED.get(label, ()))
        worse, better = ((), ()) if label == _ALONE else (("red",), ("green",))
        yield (
            f"{label:<25}{screen.styled(f'{before:>13}', *worse)}"
            f"{screen.styled(f'{after:>13}', *better)}{screen.styled(published, 'dim')}"
        )
    yield f"{'who made others wait':<25}   naive: {_blame(naive.counted)}"
    yield f"{'':<25}   fixed: {_blame(fixed.counted)}"
    yield "p95: a request that failed counts, too, with the time its user has waited."


def _rows(naive: Act, fixed: Act) -> Iterator[tuple[str, str, str]]:
    """What users have seen, what the database has, and what we have."""

    def row(label: str, cell: Callable[[Act], str]) -> tuple[str, str, str]:
        return label, cell(naive), cell(fixed)

    yield row(_ALONE, lambda act: _p95(act.alone, Kind.ITEM))
    yield row("CRUD p95", lambda act: _p95(act.figures, Kind.ITEM))
    yield row("LLM p95", lambda act: _p95(act.figures, Kind.CHAT))
    yield row("requests answered/min", lambda act: f"{act.figures.answered_per_minute:.0f}")
    yield row("time-outs/min", lambda act: f"{act.figures.timed_out_per_minute:.0f}")
    yield row("most connections in use", lambda act: str(act.most_connections))
    yield row("held, and not executing", lambda act: _percent(act.counted.unused_share))


def _p95(figures: Figures, kind: Kind) -> str:
    seconds = figures.of(kind).quantile(P95)
    return "none" if math.isnan(seconds) else f"{seconds * 1000:.0f} ms"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _blame(counted: Counted) -> str:
    seconds = counted.blamed_seconds.total()
    if seconds < _WORTH_BLAME:
        return "nobody"
    ((holder, most),) = counted.blamed_seconds.most_common(1)
    return f"{holder}, {_percent(most / seconds)}"


def agreement(naive: Act, fixed: Act) -> Iterator[str]:
    """Whether users and the service's metrics have counted the same."""
    users = naive.figures.timed_out + fixed.figures.timed_out
    ours = naive.counted.timed_out.total() + fixed.counted.timed_out.total()
    given = naive.counted.checkouts.total()
    yield f"Users saw {users} time-outs, and /metrics counted {ours:.0f}. The naive act had"
    yield (
        f"{len(naive.figures.requests)} requests; /metrics have {given:.0f} that got a connection, "
        f"and {naive.counted.timed_out.total():.0f} that did not."
    )
