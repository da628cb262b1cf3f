"""A pool: what is wanted of it, what it has, who queues, what fails and what leaks."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Picture, Row, Shown
from pool_observer.monitoring.scope import JOB, POOL, SERVICE

_HOLDERS = (JOB, POOL, "holder")

POOLS = Dashboard(
    "pool",
    "Pools: one pool",
    "What is wanted of a pool, what it has, who queues, what fails and what leaks.",
    (
        Row(
            "Demand and capacity",
            (
                Panel(
                    "Utilization, the worst worker",
                    (Shown("utilization", "<job> <pool>", SERVICE),),
                ),
                Panel(
                    "Connections",
                    (
                        Shown("used", "<job> <pool>: used", SERVICE),
                        Shown("idle", "<job> <pool>: idle", SERVICE),
                        Shown("kept", "<job> <pool>: pool_size", SERVICE),
                        Shown("most", "<job> <pool>: max", SERVICE),
                    ),
                ),
                Panel(
                    "Most connections wanted at once, of the worst worker",
                    (Shown("demand", "<job> <pool>", SERVICE),),
                ),
                Panel("Time full", (Shown("full", "<job> <pool>", SERVICE),)),
                Panel("How often it became full", (Shown("filled", "<job> <pool>", SERVICE),)),
                Panel("Checkouts", (Shown("checkouts", "<job> <pool>", SERVICE),)),
            ),
        ),
        Row(
            "Queue",
            (
                Panel("Callers waiting", (Shown("waiting", "<job> <pool>", SERVICE),)),
                Panel(
                    "How long callers wait",
                    (
                        Shown("wait_p95", "<job> <pool>: p95", SERVICE),
                        Shown("wait_p50", "<job> <pool>: p50", SERVICE),
                        Shown("wait_p99", "<job> <pool>: p99", SERVICE),
                    ),
                ),
                Panel("Longest wait now", (Shown("oldest_wait", "<job> <pool>", SERVICE),)),
                Panel("All waits", (Shown("wait_buckets", "<le>"),), Picture.HEATMAP, width=12),
                Panel(
                    "What waits are made of",
                    (
                        Shown("queueing", "<job> <pool>: queue", SERVICE),
                        Shown("connecting", "<job> <pool>: connect", SERVICE),
                        Shown("pinging", "<job> <pool>: ping", SERVICE),
                    ),
                    width=12,
                    stacked=True,
                ),
            ),
        ),
        Row(
            "Errors",
            (
                Panel("Callers that give up", (Shown("timeouts", "<job> <pool>", SERVICE),)),
                Panel("Share of callers that give up", (Shown("timeout_ratio", "<job> <pool>"),)),
                Panel(
                    "Waits longer than any request should",
                    (Shown("long_waits", "<job> <pool>", SERVICE),),
                ),
            ),
        ),
        Row(
            "Holds and leaks",
            (
                Panel("Oldest hold", (Shown("oldest_hold", "<job> <pool>", SERVICE),), log=True),
                Panel("All holds", (Shown("held_buckets", "<le>"),), Picture.HEATMAP, width=16),
                Panel(
                    "Taken and never given back",
                    (
                        Shown(
                            "leaked",
                            "<job> <pool>: <holder>",
                            _HOLDERS,
                            top=20,
                            window="leak_window",
                        ),
                    ),
                ),
                Panel(
                    "Overdue connections",
                    (Shown("overdue", "<job> <pool>: <holder>", _HOLDERS, top=20),),
                ),
                Panel(
                    "Lost connections",
                    (Shown("lost", "<job> <pool>: <holder>", _HOLDERS, top=20, window="recent"),),
                ),
                Panel("How holds end", (Shown("returned", "<job> <pool>: <how>", SERVICE),)),
                Panel("Behind with returning", (Shown("behind", "<job> <pool>", SERVICE),)),
                Panel(
                    "Became overdue",
                    (Shown("went_overdue", "<job> <pool>: <holder>", _HOLDERS, top=20),),
                ),
            ),
        ),
        Row(
            "Churn",
            (
                Panel(
                    "Checkouts that open a connection", (Shown("churn", "<job> <pool>", SERVICE),)
                ),
                Panel(
                    "Opened and closed",
                    (
                        Shown("opened", "<job> <pool>: opened", SERVICE),
                        Shown("closed", "<job> <pool>: closed", SERVICE),
                    ),
                ),
                Panel("Found broken", (Shown("invalidated", "<job> <pool>", SERVICE),)),
                Panel("Opening a connection, p95", (Shown("opening", "<job> <pool>", SERVICE),)),
                Panel("Event loop is late by", (Shown("loop_lag", "<job> <pool>", SERVICE),)),
                Panel("Scraped instances", (Shown("processes", "<job> <pool>"),)),
            ),
        ),
        Row(
            "Each process",
            (
                Panel("Used, by process", (Shown("used", "<job> <pool> <instance>"),)),
                Panel(
                    "Utilization, by process", (Shown("utilization", "<job> <pool> <instance>"),)
                ),
                Panel(
                    "Callers waiting, by process", (Shown("waiting", "<job> <pool> <instance>"),)
                ),
                Panel(
                    "Longest wait now, by process",
                    (Shown("oldest_wait", "<job> <pool> <instance>"),),
                ),
                Panel("Event loop, by process", (Shown("loop_lag", "<job> <instance>"),)),
                Panel("Checkouts, by process", (Shown("checkouts", "<job> <pool> <instance>"),)),
            ),
            collapsed=True,
        ),
    ),
)
