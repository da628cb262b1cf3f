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
    imbalance_for: float = 5 * MINUTE
    """Seconds that check-ins may lag behind checkouts."""
    full_ratio: float = 1.0
    """Share of the pool in use at which the next request has to queue."""
    high_ratio: float = 0.8
    """Share of the pool in use at which there is no headroom for a burst."""
    database_cpu_ratio: float = 0.7
    """Share of the database's CPU above which a larger pool makes it slower."""
    server_reserve_ratio: float = 0.25
    """Share of the server's `max_connections` to keep free over all workers and replicas."""
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
