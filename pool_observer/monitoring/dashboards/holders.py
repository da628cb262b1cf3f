"""Who holds connections, what for, and at whose expense."""

from __future__ import annotations

from pool_observer.monitoring.dashboards.panel import Dashboard, Panel, Picture, Row, Shown
from pool_observer.monitoring.scope import SERVICE

_NAME = "<holder>"

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
                    (Shown("held", _NAME, ("holder",)),),
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
                    (Shown("unused", _NAME, ("holder",)),),
                    stacked=True,
                ),
                Panel(
                    "Held, but not used",
                    (Shown("unused_share", "<pool>", SERVICE),),
                ),
                Panel(
                    "Share of the pool kept unused",
                    (Shown("idle_capacity", "<holder> <instance>"),),
                ),
            ),
        ),
        Row(
            "Who makes others wait, and who waits",
            (
                Panel(
                    "Blame",
                    (Shown("blamed", _NAME, ("holder",)),),
                    width=12,
                    stacked=True,
                ),
                Panel(
                    "Victims: waits, p99",
                    (Shown("waits_by_holder", _NAME, ("holder",), exemplars=True),),
                    width=12,
                ),
                Panel(
                    "Blame over the whole time shown, seconds",
                    (Shown("blamed_seconds", _NAME, ("holder",), window="$__range"),),
                    Picture.BARS,
                    width=12,
                    nothing="Nobody has queued.",
                ),
                Panel(
                    "Victims: callers that gave up",
                    (Shown("timeouts", _NAME, ("holder",)),),
                    width=12,
                ),
            ),
        ),
        Row(
            "How long, and where requests are meanwhile",
            (
                Panel(
                    "Holds, p99",
                    (Shown("held_p99", _NAME, ("holder",), exemplars=True),),
                    log=True,
                ),
                Panel("Holds, p50", (Shown("held_p50", _NAME, ("holder",)),), log=True),
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
                Panel("Nested checkouts", (Shown("nested", _NAME, ("holder",), window="recent"),)),
                Panel("Overdue connections", (Shown("overdue", _NAME, ("holder",)),)),
                Panel(
                    "Taken and never given back",
                    (Shown("leaked", _NAME, ("holder",), window="leak_window"),),
                ),
                Panel("Lost connections", (Shown("lost", _NAME, ("holder",), window="recent"),)),
                Panel(
                    "Transactions at rest, for each connection taken",
                    (Shown("resting", "<holder> <instance>"),),
                ),
                Panel("Checkouts, by holder", (Shown("checkouts", _NAME, ("holder",)),)),
            ),
        ),
    ),
)
