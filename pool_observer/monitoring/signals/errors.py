"""What should never happen, or hardly ever."""

from __future__ import annotations

from pool_observer.monitoring.scope import HOLDER, PROCESS, SERVICE, By, Scope
from pool_observer.monitoring.signal import NEVER, Limit, Signal, Unit

TIMEOUTS = "db.client.connection.timeouts"
WAITS = "db.client.connection.wait_time"
LOST = 'how="lost"'


def _timeout_ratio(scope: Scope, by: By) -> str:
    timeouts = scope.rate(by, TIMEOUTS)
    waits = scope.rate(by, WAITS, part="_count")
    return f"{timeouts}\n/\n{waits}"


def _behind(scope: Scope, by: By) -> str:
    taken = scope.rate(by, "pool_observer.checkouts")
    returned = scope.rate(by, "pool_observer.returns")
    # Sums of many holders differ in their last digits, by the order in which they are added.
    return f"round({taken}\n-\n{returned}, 0.000001)"


def _leaked(scope: Scope, by: By) -> str:
    """Time held, less the time of holds that are over.

    Time in holds that still last is in the one and not in the other. Where traffic is steady, the
    holds that end in the window make up for that; a hold that never ends is never made up for.
    """
    held = scope.rate(by, "pool_observer.activity")
    over = scope.rate(by, "db.client.connection.use_time", part="_sum")
    return f"{held}\n-\n{over}"


def _leaks(scope: Scope, by: By) -> str:
    """The same, without what only looks like a leak.

    Long holds of a busy route come and go, and their sum with them: so one must be as old as it
    takes to be a leak. One that was declared, with `expect_long_hold()`, is not overdue.
    """
    limits = scope.settings.thresholds
    pool = tuple(label for label in by if label != "holder")
    oldest = scope.most(pool, "pool_observer.oldest_hold")
    overdue = scope.sum(by, "pool_observer.overdue_connections")
    age = f"{limits.leaked_connections * limits.leak_window:g}"
    return (
        f"{_leaked(scope, by)}\nand on ({scope.labels(pool)})\n{oldest} > {age}\nand\n{overdue} > 0"
    )


ERRORS = {
    "timeouts": Signal(
        "How many callers give up in a second, because the pool had no connection for them within "
        "pool_timeout?",
        "They are the victims. Blame, in Routes and holders, has the culprits.",
        lambda scope, by: scope.rate(by, TIMEOUTS),
        PROCESS,
        Unit.PER_SECOND,
        limits=(Limit(""),),
    ),
    "timeout_ratio": Signal(
        "What share of callers give up?",
        "Above the error budget, users see it. Release connections before slow awaits.",
        _timeout_ratio,
        SERVICE,
        Unit.RATIO,
        (Limit("error_ratio"),),
    ),
    "behind": Signal(
        "By how many a second are connections given back more slowly than they are taken?",
        "For minutes: follow the error paths of the routes that took them.",
        _behind,
        PROCESS,
        Unit.PER_SECOND,
    ),
    "leaked": Signal(
        "How many connections were taken and not given back, on average over the window of the "
        "leak alert? One that is lost for good comes to 1. Long holds move it up and down; the "
        "alert waits for one that is overdue, and old enough.",
        "The holds of that route in the live page have the line that took the connection. Use "
        "`with` or `async with`, or close it in a `finally`.",
        _leaked,
        HOLDER,
        Unit.COUNT,
        (Limit("leaked_connections", "warning"),),
    ),
    "leaks": Signal(
        "How many connections were taken and never given back?",
        "The holds of that route in the live page have the line that took the connection.",
        _leaks,
        HOLDER,
        limits=(Limit("leaked_connections", "warning"),),
    ),
    "overdue": Signal(
        "How many connections have been out for longer than leak_after?",
        "The log has each of them once, with the line that took it and where its holder stands. "
        "What is meant to last says so: `expect_long_hold()`.",
        lambda scope, by: scope.sum(by, "pool_observer.overdue_connections"),
        HOLDER,
        limits=NEVER,
    ),
    "went_overdue": Signal(
        "How many holds became overdue in a second, returned since or not?",
        "The log has each of them once, with the line that took it.",
        lambda scope, by: scope.rate(by, "pool_observer.overdue"),
        HOLDER,
        Unit.PER_SECOND,
    ),
    "lost": Signal(
        "How many connections were dropped without being given back, and found by the garbage "
        "collector?",
        "Somebody forgot to close a session or connection: the log has the line that took it.",
        lambda scope, by: f"round({scope.increase(by, 'pool_observer.returns', LOST)})",
        HOLDER,
        born=lambda scope, by: scope.born(by, "pool_observer.returns", LOST),
        limits=NEVER,
    ),
    "nested": Signal(
        "How often does somebody ask for a connection while holding one of the same pool? When all "
        "connections are held by such callers, they wait for each other for ever.",
        "Pass the session down instead of opening a second one. `explain()` names both lines.",
        lambda scope, by: f"round({scope.increase(by, 'pool_observer.nested_checkouts')})",
        HOLDER,
        born=lambda scope, by: scope.born(by, "pool_observer.nested_checkouts"),
        limits=NEVER,
    ),
}
