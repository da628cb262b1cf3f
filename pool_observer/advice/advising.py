"""What to change, and what pool that needs: from a measurement to advice."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from pool_observer.advice.bouncer import Bouncer, behind_bouncer
from pool_observer.advice.load import Load, loads
from pool_observer.advice.measurement import CannotMeasureError, HolderLoad, Measurement
from pool_observer.advice.queueing import MOST_CONNECTIONS, connections_needed
from pool_observer.advice.sizing import Split, split, with_headroom
from pool_observer.thresholds import Thresholds
from pool_observer.wording import one_line

LEAST_SECONDS = 60.0
"""What was measured for a shorter time is no base for anything."""

MOST_POOLS = 1000

UNUSED_SHARE = 0.5
UNUSED_OF_ALL = 0.1
UNUSED_LEAST = 0.25
"""A route is worth mending that executes nothing for most of its holds, if that is so much of
all that is held, and so many connections on average."""


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
class Model:
    """How many connections a worker needs by the model of Erlang."""

    offered: float
    """Connections on average."""
    mean_hold: float
    connections: int


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
    as_it_is: Model | None = None
    mended: Model | None = None
    mended_split: Split | None = None
    bouncer: Bouncer | None = None


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
    as_it_is = _model(load)
    if as_it_is is None:
        return PoolAdvice(load, "these figures are beyond reason")
    # What queued is part of the demand, and so is who gave up: only the model knows those.
    needed = max(load.peak.peak_demand, math.ceil(load.connections / load.workers), 1)
    if load.saturated:
        needed = max(needed, as_it_is.connections)
    model = _model(load, mended) if mends else None
    return PoolAdvice(
        load,
        None,
        mends,
        needed,
        split(needed, load.connections / load.workers, limits),
        as_it_is,
        model,
        None if model is None else with_headroom(model.connections, limits),
        behind_bouncer(load, mended, limits),
    )


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
    return each.unused >= least and each.unused >= UNUSED_SHARE * each.connections


def _model(load: Load, mended: Collection[str] = ()) -> Model | None:
    """What one worker needs of what all of them were asked for; None of what cannot be."""
    held = sum(
        each.executing if each.holder in mended else each.connections for each in load.holders
    )
    mean_hold = held / load.arrivals
    offered = (load.arrivals + load.timed_out_a_second) * mean_hold / load.workers
    if max(offered, load.connections, load.peak.peak_demand) > MOST_CONNECTIONS:
        return None
    return Model(offered, mean_hold, connections_needed(offered, mean_hold))
