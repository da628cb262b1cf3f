"""Every limit the project warns at, once. Rules, panels, runbooks and the audit read it here."""

from __future__ import annotations

from dataclasses import dataclass, fields

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits in seconds, as ratios (0..1) or as counts; the unit is in the name or the text."""

    span_after: float = 0.1
    """Seconds from which on a wait or a hold explains something in a trace."""
    trouble_after: float = 0.5
    """Seconds from which on it is worth asking what a hold is still good for."""
    slow_wait: float = 0.5
    """Seconds: waits longer than this make users feel the pool."""
    slow_wait_quantile: float = 0.95
    """The share of waits that must be faster than that."""
    slow_wait_for: float = 2 * MINUTE
    """Seconds a slow wait quantile must persist before anyone is told."""
    queue_wait: float = 2.0
    """Seconds in the queue that no request should ever see."""
    error_ratio: float = 0.001
    """Share of acquisitions that may time out: 0.1 %."""
    leak_after: float = 30.0
    """Seconds after which an open hold is overdue."""
    leak_window: float = 15 * MINUTE
    """Seconds the leak estimator looks back; holds near this length count as leaks."""
    leaked_connections: float = 0.5
    """Connections that a holder has kept, on average over that window. One that never comes back
    counts as a half after half of it."""
    imbalance_for: float = 5 * MINUTE
    """Seconds that check-ins may lag behind checkouts."""
    full_ratio: float = 1.0
    """Share of the pool in use at which the next request has to queue."""
    full_for: float = 0.0
    """Seconds it must stay so; at once, as a rule."""
    high_ratio: float = 0.8
    """Share of the pool in use at which there is no headroom for a burst."""
    high_for: float = 5 * MINUTE
    """Seconds it must stay so high."""
    idle_capacity_ratio: float = 0.3
    """Share of the pool that one holder may keep while it executes nothing."""
    idle_capacity_for: float = 2 * MINUTE
    """Seconds it must keep so much."""
    idle_in_transaction: float = 1.0
    """Seconds that a holder's transactions rest between statements, on average."""
    idle_in_transaction_for: float = 5 * MINUTE
    """Seconds they must do so."""
    churn_ratio: float = 0.2
    """Share of checkouts for which a connection is opened: above, the pool does not pool."""
    churn_for: float = 10 * MINUTE
    """Seconds it must open so many."""
    loop_lag: float = 1.0
    """Seconds by which an event loop may be late."""
    loop_lag_for: float = MINUTE
    """Seconds it must be late again and again."""
    database_cpu_ratio: float = 0.7
    """Share of the database's CPU above which a larger pool makes it slower."""
    server_reserve_ratio: float = 0.25
    """Share of the server's `max_connections` to keep free over all workers and replicas."""
    server_budget_ratio: float = 1.0
    """Share of the others that all pools together may open."""
    server_reserve_for: float = 15 * MINUTE
    """Seconds they may be less, as while a deployment has two of everything."""
    server_used_ratio: float = 0.9
    """Share of the server's `max_connections` in use at which the next ones will be refused."""
    server_used_for: float = 2 * MINUTE
    """Seconds that many must be in use."""
    server_down_for: float = MINUTE
    """Seconds for which the server may leave the probe without an answer."""
    lock_for: float = MINUTE
    """Seconds for which others may wait for somebody's lock."""
    absent_for: float = 5 * MINUTE
    """Seconds without the metrics of a pool that had them."""
    absent_since: float = 60 * MINUTE
    """Seconds after which a pool that has none is taken to be gone for good."""
    recent: float = 15 * MINUTE
    """Seconds for which what should never happen is worth telling."""
    rate_window: float = 5 * MINUTE
    """Seconds over which rates are taken, at least four scrapes."""
    fast_burn: float = 14.4
    """How many times faster than it may the error budget is spent: 2 % of a month's in an hour."""
    fast_burn_window: float = 60 * MINUTE
    fast_burn_recent: float = 5 * MINUTE
    """Seconds over which it is, and over which it still must be."""
    slow_burn: float = 6.0
    slow_burn_window: float = 6 * 60 * MINUTE
    slow_burn_recent: float = 30 * MINUTE
    """The same: 5 % of a month's budget in six hours."""
    steady_burn: float = 1.0
    steady_burn_window: float = 72 * 60 * MINUTE
    steady_burn_recent: float = 6 * 60 * MINUTE
    """The same: 10 % of a month's budget in three days."""
    pool_size_low: int = 5
    pool_size_high: int = 20
    """Connections a worker keeps: the usual range."""
    overflow_ratio_low: float = 0.5
    overflow_ratio_high: float = 1.0
    """Overflow as a share of the pool's size: the usual range."""
    pool_timeout_low: float = 5.0
    pool_timeout_high: float = 10.0
    pool_timeout_limit: float = 30.0
    """Seconds to queue before giving up: the usual range, and the most that makes sense."""
    recycle_ratio: float = 0.75
    """`pool_recycle` as a share of the proxy's idle time-out, at most."""
    nat_recycle_low: float = 300.0
    nat_recycle_high: float = 600.0
    """`pool_recycle` in seconds behind a cloud's NAT."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0:  # also refuses NaN, which compares false with everything
                raise ValueError(f"{field.name} must be 0 or more, not {value!r}")
