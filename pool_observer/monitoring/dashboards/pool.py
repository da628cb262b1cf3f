"""A pool: what is wanted of it, what it has, who queues, what fails and what leaks."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Picture, Row, Shown
from pool_observer.monitoring.scope import POOL, SERVICE

_HOLDERS = (POOL, "holder")

POOLS = Dashboard(
    "pool",
    "Pools: one pool",
    "What is wanted of a pool, what it has, who queues, what fails and what leaks.",
    (
        Row(
            "Demand and capacity",
            (
                Panel("Utilization, the worst worker", (Shown("utilization", "<pool>", SERVICE),)),
                Panel(
                    "Connections",
                    (
                        Shown("used", "<pool>: used", SERVICE),
                        Shown("idle", "<pool>: idle", SERVICE),
                        Shown("kept", "<pool>: pool_size", SERVICE),
                        Shown("most", "<pool>: max", SERVICE),
                    ),
                ),
                Panel(
                    "Most connections wanted at once, of the worst worker",
                    (Shown("demand", "<pool>", SERVICE),),
                ),
                Panel("Time full", (Shown("full", "<pool>", SERVICE),)),
                Panel("How often it became full", (Shown("filled", "<pool>", SERVICE),)),
                Panel("Checkouts", (Shown("checkouts", "<pool>", SERVICE),)),
            ),
        ),
        Row(
            "Queue",
            (
                Panel("Callers waiting", (Shown("waiting", "<pool>", SERVICE),)),
                Panel(
                    "How long callers wait",
                    (
                        Shown("wait_p95", "<pool>: p95", SERVICE),
                        Shown("wait_p50", "<pool>: p50", SERVICE),
                        Shown("wait_p99", "<pool>: p99", SERVICE),
                    ),
                ),
                Panel("Longest wait now", (Shown("oldest_wait", "<pool>", SERVICE),)),
                Panel("All waits", (Shown("wait_buckets", "<le>"),), Picture.HEATMAP, width=12),
                Panel(
                    "What waits are made of",
                    (
                        Shown("queueing", "<pool>: queue", SERVICE),
                        Shown("connecting", "<pool>: connect", SERVICE),
                        Shown("pinging", "<pool>: ping", SERVICE),
                    ),
                    width=12,
                    stacked=True,
                ),
            ),
        ),
        Row(
            "Errors",
            (
                Panel("Callers that give up", (Shown("timeouts", "<pool>", SERVICE),)),
                Panel("Share of callers that give up", (Shown("timeout_ratio", "<pool>"),)),
                Panel(
                    "Waits longer than any request should",
                    (Shown("long_waits", "<pool>", SERVICE),),
                ),
            ),
        ),
        Row(
            "Holds and leaks",
            (
                Panel("Oldest hold", (Shown("oldest_hold", "<pool>", SERVICE),), log=True),
                Panel("All holds", (Shown("held_buckets", "<le>"),), Picture.HEATMAP, width=16),
                Panel(
                    "Taken and never given back",
                    (Shown("leaked", "<pool>: <holder>", _HOLDERS, window="leak_window"),),
                ),
                Panel("Overdue connections", (Shown("overdue", "<pool>: <holder>", _HOLDERS),)),
                Panel(
                    "Lost connections",
                    (Shown("lost", "<pool>: <holder>", _HOLDERS, window="recent"),),
                ),
                Panel("How holds end", (Shown("returned", "<pool>: <how>", SERVICE),)),
                Panel("Behind with returning", (Shown("behind", "<pool>", SERVICE),)),
                Panel("Became overdue", (Shown("went_overdue", "<pool>: <holder>", _HOLDERS),)),
            ),
        ),
        Row(
            "Churn",
            (
                Panel("Checkouts that open a connection", (Shown("churn", "<pool>", SERVICE),)),
                Panel(
                    "Opened and closed",
                    (
                        Shown("opened", "<pool>: opened", SERVICE),
                        Shown("closed", "<pool>: closed", SERVICE),
                    ),
                ),
                Panel("Found broken", (Shown("invalidated", "<pool>", SERVICE),)),
                Panel("Opening a connection, p95", (Shown("opening", "<pool>", SERVICE),)),
                Panel("Event loop is late by", (Shown("loop_lag", "<pool>", SERVICE),)),
                Panel("Scraped instances", (Shown("processes", "<job>: <pool>"),)),
            ),
        ),
        Row(
            "Each process",
            (
                Panel("Used, by process", (Shown("used", "<instance> <pool>"),)),
                Panel("Utilization, by process", (Shown("utilization", "<instance> <pool>"),)),
                Panel("Callers waiting, by process", (Shown("waiting", "<instance> <pool>"),)),
                Panel("Longest wait now, by process", (Shown("oldest_wait", "<instance> <pool>"),)),
                Panel("Event loop, by process", (Shown("loop_lag", "<instance> <pool>"),)),
                Panel("Checkouts, by process", (Shown("checkouts", "<instance> <pool>"),)),
            ),
            collapsed=True,
        ),
    ),
)
