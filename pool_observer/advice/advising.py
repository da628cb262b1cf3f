"""What to change, and what pool that needs: from a measurement to advice."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from pool_observer.advice.bouncer import Bouncer, behind_bouncer
from pool_observer.advice.load import Load, loads
from pool_observer.advice.measurement import CannotMeasureError, HolderLoad, Measurement
from pool_observer.advice.modelling import Model, modelled
from pool_observer.advice.queueing import MOST_CONNECTIONS
from pool_observer.advice.sizing import Split, split, with_headroom
from pool_observer.thresholds import Thresholds
from pool_observer.wording import one_line

LEAST_SECONDS = 60.0
"""What was measured for a shorter time is no base for anything."""

MOST_POOLS = 1000

UNUSED_SHARE = 0.5
UNUSED_OF_ALL = 0.1
UNUSED_LEAST = 0.25
UNUSED_SECONDS = 0.05
"""A route is worth mending that executes nothing for most of its holds, if that is so much of
all that is held, so many connections on average, and so long in each hold: less than that is the
time which the driver and the framework take."""


@dataclass(frozen=True, slots=True)
class Mend:
    """What it frees to have a route keep no connection while it executes nothing."""

    load: HolderLoad

    @property
    def frees(self) -> float:
        """Connections on average, in all workers."""
        return self.load.unused

    @property
    def executing_seconds(self) -> float:
        """How long one hold is spent on statements."""
        share = self.load.executing / self.load.connections if self.load.connections else 0.0
        return self.load.mean_hold * share


@dataclass(frozen=True, slots=True)
class PoolAdvice:
    """The advice for one pool, or why there is none."""

    load: Load
    refusal: str | None
    mends: tuple[Mend, ...] = ()
    """Who frees the most first. They come before any change of the pool."""
    needed: int = 0
    """Connections that a worker needs as it is."""
    split: Split | None = None
    """How to set them, and no fewer than is usual."""
    as_it_is: Model | None = None
    mended: Model | None = None
    mended_split: Split | None = None
    bouncer: Bouncer | None = None

    def in_all(self, size: Split) -> int:
        """Connections of all workers together, if each has a pool of this size."""
        return self.load.workers * size.connections

    def fits(self, size: Split) -> bool:
        """Whether the database server has that many, as far as is known."""
        most = self.load.server_connections
        return most is None or self.in_all(size) <= most


def advise(
    measurement: Measurement,
    *,
    limits: Thresholds | None = None,
    least_seconds: float = LEAST_SECONDS,
    released: Collection[str] = (),
) -> list[PoolAdvice]:
    """The advice for each pool that was measured.

    :param released: holders whose mends are reckoned with, whatever they would free; without
        any, those that are worth it.
    """
    measured = loads(measurement.pools)
    if len(measured) > MOST_POOLS:
        raise CannotMeasureError(f"{len(measured)} pools are more than a service can have")
    known = {each.holder for load in measured for each in load.holders}
    for holder in released:
        if holder not in known:
            raise CannotMeasureError(
                f"nothing was measured of {one_line(holder)!r}; name a route as it is shown"
            )
    return [_advice(load, limits or Thresholds(), least_seconds, released) for load in measured]


def _advice(
    load: Load, limits: Thresholds, least_seconds: float, released: Collection[str]
) -> PoolAdvice:
    refusal = _refusal(load, least_seconds)
    if refusal is not None:
        return PoolAdvice(load, refusal)
    mends = tuple(
        Mend(each)
        for each in sorted(load.holders, key=lambda each: each.unused, reverse=True)
        if (each.holder in released if released else _is_worth_mending(each, load))
    )
    mended = frozenset(mend.load.holder for mend in mends)

    def once_mended(each: HolderLoad) -> float:
        return each.executing if each.holder in mended else each.connections

    as_it_is = modelled(load, lambda each: each.connections)
    model = modelled(load, once_mended) if mends else None
    if as_it_is is None or max(load.connections, load.peak.peak_demand) > MOST_CONNECTIONS:
        return PoolAdvice(load, "these figures are beyond reason")
    needed = _needed(load, as_it_is, model)
    size = split(needed, as_it_is.offered, limits)
    return PoolAdvice(
        load,
        None,
        mends,
        needed,
        size,
        as_it_is,
        model,
        None if model is None else _at_most(size, with_headroom(model.connections, limits)),
        behind_bouncer(load, mended, limits),
    )


def _needed(load: Load, as_it_is: Model, mended: Model | None) -> int:
    """What a worker needs until the mends are done, which is never less than afterwards."""
    if load.saturated:
        # Its queue is no measure: who queues makes it longer, and who gives up makes it shorter.
        least = max(as_it_is.connections, (load.max or 0) + 1)
    else:
        least = max(load.peak.peak_demand, math.ceil(load.busiest), 1)
    return least if mended is None else max(least, mended.connections)


def _at_most(most: Split, size: Split) -> Split:
    return size if size.connections < most.connections else most


def _refusal(load: Load, least_seconds: float) -> str | None:
    if load.window_seconds < max(least_seconds, 1.0):
        return (
            f"measured for {load.window_seconds:.0f} s only: ask again after "
            f"{least_seconds:.0f} s under the load that matters"
        )
    if not load.arrivals and load.connections:
        return (
            "no connection was handed out in that time, though some are held: first find out by "
            "whom, with explain() or the live page"
        )
    if not load.connections or not load.arrivals:
        return "nobody held a connection in that time: ask again under the load that matters"
    return None


def _is_worth_mending(each: HolderLoad, load: Load) -> bool:
    least = max(UNUSED_LEAST, UNUSED_OF_ALL * load.connections)
    share = each.unused / each.connections if each.connections else 0.0
    lasts = share * each.mean_hold >= UNUSED_SECONDS
    return lasts and each.unused >= least and share >= UNUSED_SHARE
