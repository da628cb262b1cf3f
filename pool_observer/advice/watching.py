"""Since when a Prometheus has samples of each target, however short that is in a long window."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Target = frozenset[tuple[str, str]]
"""The labels of a pool's series that are not the metric's own: the pool, and who was scraped."""

STEPS = 1000
"""A window is looked at so often for a first sample."""

NARROWER = 4
"""So much shorter is the next window. A target that began in it is asked for again there, so that
what is missed between two looks is never more than `NARROWER / STEPS` of what was watched."""


def watched_seconds(
    targets: Iterable[Target],
    window_seconds: int,
    all_along: Iterable[Target],
    ages: Callable[[int, int], dict[Target, float]],
) -> dict[Target, float]:
    """For how long each target has been watched within the window.

    :param all_along: those that had a sample when the window began.
    :param ages: the age of the first sample that is seen of each target, if it is looked for in
        the last so many seconds, each so many seconds.
    """
    found = dict.fromkeys(targets, float(window_seconds))
    young, width = found.keys() - set(all_along), window_seconds
    while young:
        step = max(1, width // STEPS)
        seen = ages(width, step)
        # One of which nothing was seen began after the last look.
        found.update({target: min(seen.get(target, 0.0), width) for target in young})
        width //= NARROWER
        young = {target for target in young if step > 1 and found[target] < width}
    return found
