"""How many connections would be held if nobody had to wait for one, and how many that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pool_observer.advice.load import Load
from pool_observer.advice.measurement import HolderLoad, PoolLoad
from pool_observer.advice.queueing import MOST_CONNECTIONS, connections_needed

Use = Callable[[HolderLoad], float]
"""How many connections a holder makes use of on average."""


@dataclass(frozen=True, slots=True)
class Model:
    """How many connections a worker needs by the model of Erlang."""

    offered: float
    """Connections on average, in the busiest worker."""
    connections: int


def modelled(load: Load, use: Use) -> Model | None:
    """What the busiest worker needs; None if that cannot be."""
    average = max(offered(part, use) / part.workers for part in load.parts)
    if average > MOST_CONNECTIONS:
        return None
    return Model(average, connections_needed(average))


def offered(part: PoolLoad, use: Use) -> float:
    """Connections on average, if everybody who asked had been given one at once.

    Who gave up, or still waits, would have made use of one for as long as others do; a hold that
    is longer than what was watched is taken for as long as that.
    """
    seconds = part.window_seconds
    used = sum(use(each) for each in part.holders)
    arrivals = sum(each.arrivals for each in part.holders)
    usual = min(used / arrivals, seconds) if arrivals else 0.0
    wanted, known = 0.0, 0.0
    for each in part.holders:
        own = min(use(each) / each.arrivals, seconds) if each.arrivals else usual
        wanted += each.timed_out * own
        known += each.timed_out
    others = max(part.timed_out - known, 0.0) + part.waiting
    return used + (wanted + others * usual) / seconds
