"""A pool at one instant, put together from all that knows something of it."""

from __future__ import annotations

from dataclasses import replace

from pool_observer.hooks import pools
from pool_observer.hooks.attachment import Attachment
from pool_observer.ledger import Ledger
from pool_observer.model import Stage
from pool_observer.server import ServerState
from pool_observer.settled import Settled
from pool_observer.state import PoolState, PoolTotals


def state_of(
    settled: Settled,
    ledger: Ledger,
    attachment: Attachment,
    *,
    at: float,
    event_loop_lag_seconds: float | None,
    untold: int,
    server: ServerState | None,
    closed: bool,
) -> PoolState:
    """The state of a pool that has just been settled.

    :param untold: events that listeners did not keep up with.
    """
    holding, waiting, now = settled.holding, settled.waiting, settled.now
    totals = settled.totals or PoolTotals()
    if untold:
        totals = replace(totals, dropped_events=totals.dropped_events + untold)
    seats, pool = attachment.seats(), attachment.current_pool()
    used_here, limit = seats.taken(holding), seats.limit
    counted = None if pool is None else pools.checked_out(pool)
    # The pool counts a connection as out while we still count the caller as waiting for
    # it to be opened or tested.
    underway = sum(claim.stage is not Stage.QUEUE for claim in waiting)
    return PoolState(
        name=ledger.pool,
        at=at,
        used=len(holding) + seats.unseen,
        idle=attachment.idle(),
        waiting=len(waiting),
        max=limit,
        utilization=used_here / limit if limit else None,
        drift=None if counted is None else used_here + underway - counted,
        open_holds=tuple(ledger.hold(claim, now) for claim in holding),
        open_waits=tuple(ledger.wait(claim, now) for claim in waiting),
        totals=totals,
        idle_max=None if pool is None else pools.most_idle(pool),
        settings=None if pool is None else pools.settings_of(pool),
        event_loop_lag_seconds=event_loop_lag_seconds,
        server=server,
        closed=closed,
        # What is there now counts even if the clock has not moved since it came.
        peak_demand=max(ledger.peak_demand(now), used_here + len(waiting)),
    )
