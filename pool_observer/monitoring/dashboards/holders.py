"""Who holds connections, what for, and at whose expense."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Picture, Row, Shown
from pool_observer.monitoring.scope import JOB, POOL, SERVICE

_NAME = "<holder>"
_ROUTE = (JOB, POOL, "holder")

HOLDERS = Dashboard(
    "holders",
    "Pools: routes and holders",
    "Who holds connections, what for, and at whose expense.",
    (
        Row(
            "Who holds, and what for",
            (
                Panel(
                    "Connections held, by holder",
                    (Shown("held", _NAME, ("holder",), top=20),),
                    width=12,
                    stacked=True,
                ),
                Panel(
                    "Connections held, by activity",
                    (Shown("held_for_what", "<activity>", ()),),
                    width=12,
                    stacked=True,
                ),
                Panel(
                    "Unused connections, by holder",
                    (Shown("unused", _NAME, ("holder",), top=20),),
                    stacked=True,
                ),
                Panel(
                    "Held, but not used",
                    (Shown("unused_share", "<job> <pool>", SERVICE),),
                ),
                Panel(
                    "Share of the pool kept unused",
                    (Shown("idle_capacity", "<job> <pool>: <holder>", worst=_ROUTE, top=20),),
                ),
            ),
        ),
        Row(
            "Who makes others wait, and who waits",
            (
                Panel(
                    "Blame",
                    (Shown("blamed", _NAME, ("holder",), top=20),),
                    width=12,
                    stacked=True,
                ),
                Panel(
                    "Victims: waits, p99",
                    (Shown("waits_by_holder", _NAME, ("holder",), exemplars=True, top=20),),
                    width=12,
                ),
                Panel(
                    "Blame over the whole time shown, seconds",
                    (Shown("blamed_seconds", _NAME, ("holder",), window="$__range", top=15),),
                    Picture.BARS,
                    width=12,
                    nothing="Nobody has queued.",
                ),
                Panel(
                    "Victims: callers that gave up",
                    (Shown("timeouts", _NAME, ("holder",), top=20),),
                    width=12,
                ),
            ),
        ),
        Row(
            "How long, and where requests are meanwhile",
            (
                Panel(
                    "Holds, p99",
                    (Shown("held_p99", _NAME, ("holder",), exemplars=True, top=20),),
                    log=True,
                ),
                Panel("Holds, p50", (Shown("held_p50", _NAME, ("holder",), top=20),), log=True),
                Panel(
                    "Phase of the requests that hold",
                    (Shown("phases", "<phase>", ()),),
                    stacked=True,
                ),
            ),
        ),
        Row(
            "What should not be",
            (
                Panel(
                    "Nested checkouts",
                    (Shown("nested", _NAME, ("holder",), window="recent", top=20),),
                ),
                Panel("Overdue connections", (Shown("overdue", _NAME, ("holder",), top=20),)),
                Panel(
                    "Taken and never given back",
                    (Shown("leaked", _NAME, ("holder",), window="leak_window", top=20),),
                ),
                Panel(
                    "Lost connections",
                    (Shown("lost", _NAME, ("holder",), window="recent", top=20),),
                ),
                Panel(
                    "Transactions at rest, for each connection taken",
                    (Shown("resting", "<job> <pool>: <holder>", worst=_ROUTE, top=20),),
                ),
                Panel("Checkouts, by holder", (Shown("checkouts", _NAME, ("holder",), top=20),)),
            ),
        ),
    ),
)
