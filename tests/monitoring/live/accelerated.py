"""The rules and dashboards of a day, in a minute: what lasts minutes there lasts seconds here."""

from __future__ import annotations

from pool_observer.monitoring.settings import Settings
from pool_observer.thresholds import Thresholds

SCRAPE_SECONDS = 0.25
EVALUATION_SECONDS = 0.25

EXPORTER_SECONDS = 0.5
"""Between two scrapes of what takes longer to answer. Grafana is told this one."""

RATE_WINDOW = 2.0
"""What Grafana makes of that: four scrapes."""


def accelerated() -> Settings:
    return Settings(
        thresholds=Thresholds(
            slow_wait=0.25,
            slow_wait_for=1.5,
            queue_wait=1,
            leak_after=5,
            leak_window=12,
            imbalance_for=2.5,
            high_for=1,
            idle_capacity_for=1,
            idle_in_transaction_for=1,
            churn_for=1,
            loop_lag=0.5,
            loop_lag_for=0.5,
            server_reserve_for=1,
            server_used_for=1,
            server_down_for=1,
            lock_for=0.5,
            absent_for=1,
            absent_since=20,
            recent=2,
            rate_window=RATE_WINDOW,
            fast_burn_window=4,
            fast_burn_recent=1,
            slow_burn_window=5,
            slow_burn_recent=1,
            steady_burn_window=6,
            steady_burn_recent=2,
        )
    )
