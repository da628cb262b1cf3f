"""All pools at a glance: is anything wrong, and where to look next."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Picture, Row, Shown
from pool_observer.monitoring.dashboards.times import FIRING
from pool_observer.monitoring.scope import SERVICE


def _light(title: str, shown: Shown, nothing: str = "") -> Panel:
    return Panel(title, (shown,), Picture.STAT, width=3, height=4, nothing=nothing)


FLEET = Dashboard(
    "fleet",
    "Pools: fleet overview",
    "All connection pools: is anything wrong, and where to look next.",
    (
        Row(
            "Now",
            (
                _light("Fullest pool", Shown("utilization", worst=()), "no limit"),
                _light("Waiting", Shown("waiting", by=())),
                _light("Longest wait", Shown("oldest_wait", worst=())),
                _light("Time-outs", Shown("timeouts", by=())),
                _light("Kept unused", Shown("idle_capacity", worst=()), "not known"),
                _light("Overdue", Shown("overdue", by=())),
                _light("Database", Shown("server_up", worst=()), "not asked"),
                _light("Budget", Shown("budget", worst=()), "not known"),
            ),
        ),
        Row(
            "Pools",
            (
                Panel(
                    "Firing alerts",
                    (Shown(FIRING),),
                    Picture.TABLE,
                    width=24,
                    height=7,
                    nothing="No alert fires.",
                ),
                Panel(
                    "All pools",
                    (
                        Shown("utilization", "Utilization", SERVICE),
                        Shown("used", "Used", SERVICE),
                        Shown("most", "Max", SERVICE),
                        Shown("waiting", "Waiting", SERVICE),
                        Shown("wait_p95", "Wait p95", SERVICE),
                        Shown("timeouts", "Time-outs", SERVICE),
                        Shown("unused_share", "Unused share", SERVICE),
                        Shown("oldest_hold", "Oldest hold", SERVICE),
                        Shown("overdue", "Overdue", SERVICE),
                        Shown("processes", "Instances", SERVICE),
                    ),
                    Picture.TABLE,
                    width=24,
                    height=8,
                ),
                Panel(
                    "Utilization of each process",
                    (Shown("utilization", "<job> <pool> <instance>"),),
                    Picture.STATES,
                    width=24,
                ),
            ),
        ),
        Row(
            "Connections against what the database has",
            (
                Panel(
                    "Connection budget used, by service",
                    (Shown("budget", "<job> <pool>"),),
                    Picture.BARS,
                    width=8,
                    nothing="No database is asked (server_probe).",
                ),
                Panel(
                    "What pools may open, and what there is",
                    (
                        Shown("most", "<job> <pool>: pools may open", SERVICE),
                        Shown("to_be_had", "<job> <pool>: there is for pools"),
                        Shown("server_most", "<job> <pool>: max_connections"),
                    ),
                    width=8,
                ),
                Panel(
                    "Share of the database's connections in use",
                    (Shown("server_used", "<job> <pool>"),),
                    width=8,
                ),
            ),
        ),
        Row(
            "Whether the figures can be trusted",
            (
                Panel(
                    "Pools that have vanished", (Shown("absent", "<job> <pool>"),), nothing="None."
                ),
                Panel(
                    "Failures of pool_observer",
                    (Shown("internal_errors", "<job> <pool> <instance>", window="recent"),),
                ),
                Panel(
                    "Events without room, and drift",
                    (
                        Shown("dropped", "<job> <pool> <instance>: dropped", window="recent"),
                        Shown("drift", "<job> <pool> <instance>: drift"),
                    ),
                ),
            ),
        ),
    ),
)
