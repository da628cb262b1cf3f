"""Who holds connections, what for, and at whose expense."""

from __future__ import annotations

from pool_observer.monitoring.scope import HOLDER, PROCESS, By, Scope
from pool_observer.monitoring.signal import Limit, Signal, Unit

ACTIVITY = "pool_observer.activity"
USE = "db.client.connection.use_time"
NOT_EXECUTING = 'activity!="executing"'


def _unused_share(scope: Scope, by: By) -> str:
    unused = scope.rate(by, ACTIVITY, NOT_EXECUTING)
    held = scope.rate(by, ACTIVITY)
    return f"{unused}\n/\n{held}"


def _idle_capacity(scope: Scope, by: By) -> str:
    """Each holder's unused connections against all that its pool has."""
    unused = scope.rate(by, ACTIVITY, NOT_EXECUTING)
    pool = tuple(label for label in by if label != "holder")
    most = scope.sum(pool, "db.client.connection.max")
    return f"{unused}\n/ on ({scope.labels(pool)}) group_left ()\n{most}"


def _resting(scope: Scope, by: By) -> str:
    """Seconds in open transactions, between statements, for each connection that was taken."""
    resting = scope.rate(by, ACTIVITY, 'activity="in_transaction"')
    taken = scope.rate(by, "pool_observer.checkouts")
    # While a hold lasts for longer than the window, none may be taken in it.
    at_least = f"1 / {scope.settings.thresholds.rate_window:g}"
    return f"{resting}\n/\nclamp_min({taken}, {at_least})"


def _held_for(quantile: float) -> Signal:
    return Signal(
        f"How long do holders keep a connection, {quantile:.0%} of the time at most? Holds that "
        "are over; the oldest hold tells of those that are not.",
        "Long and executing: the database. Long and not executing: release it before the await.",
        lambda scope, by: scope.quantile(quantile, by, USE),
        HOLDER,
        Unit.SECONDS,
    )


HOLDERS = {
    "held": Signal(
        "How many connections does each holder have, on average? Exact, bursts and open holds "
        "included; it adds up.",
        "The widest band is whom to look at first.",
        lambda scope, by: scope.rate(by, ACTIVITY),
        HOLDER,
    ),
    "held_for_what": Signal(
        "What are held connections used for? Only `executing` is work.",
        "Wide `in_transaction`: commit before the await. Wide `idle`: close before it.",
        lambda scope, by: scope.rate((*by, "activity"), ACTIVITY),
        PROCESS,
    ),
    "unused": Signal(
        "How many connections does each holder keep without executing anything, on average? They "
        "would be free if it let go of them.",
        "Commit and close before whatever is awaited meanwhile.",
        lambda scope, by: scope.rate(by, ACTIVITY, NOT_EXECUTING),
        HOLDER,
    ),
    "unused_share": Signal(
        "What share of the time that connections are held is wasted, with nothing executing?",
        "Routes that await something slow with a connection in their hand: see Unused connections "
        "by holder.",
        _unused_share,
        PROCESS,
        Unit.RATIO,
    ),
    "idle_capacity": Signal(
        "What share of the pool does one holder keep without executing anything? High before the "
        "pool is full.",
        "Release the connection before the model call, HTTP request or lock; `explain()` names "
        "the line.",
        _idle_capacity,
        HOLDER,
        Unit.RATIO,
        (Limit("idle_capacity_ratio", "warning"),),
    ),
    "resting": Signal(
        "How long do a holder's transactions rest between statements, for each connection it "
        "takes? Meanwhile their locks last, and vacuum waits.",
        "Commit before the await, and begin another transaction after it.",
        _resting,
        HOLDER,
        Unit.SECONDS,
        (Limit("idle_in_transaction", "warning"),),
    ),
    "blamed": Signal(
        "Who makes others wait? Seconds that others queued, shared among those who held "
        "connections meanwhile: how many callers each holder kept waiting, on average.",
        "Mend the widest first: it frees the most.",
        lambda scope, by: scope.rate(by, "pool_observer.blamed_wait"),
        HOLDER,
    ),
    "blamed_seconds": Signal(
        "Who has made others wait, all in all? Seconds that others queued, shared among those who "
        "held connections meanwhile.",
        "Mend the longest first: it frees the most.",
        lambda scope, by: scope.increase(by, "pool_observer.blamed_wait"),
        HOLDER,
        Unit.SECONDS,
    ),
    "phases": Signal(
        "Where are requests while they hold connections: in the handler, sending the response, at "
        "work after it, or over?",
        "`response`: a session dependency that lasts for the whole stream. `background` and "
        "`detached`: open a session of its own there, late.",
        lambda scope, by: scope.rate((*by, "phase"), "pool_observer.phase"),
        PROCESS,
    ),
    "waits_by_holder": Signal(
        "How long does each holder wait for connections, at the 99th percentile?",
        "These are the victims.",
        lambda scope, by: scope.quantile(0.99, by, "db.client.connection.wait_time"),
        HOLDER,
        Unit.SECONDS,
    ),
    "held_p50": _held_for(0.5),
    "held_p99": _held_for(0.99),
    "held_buckets": Signal(
        "How long are connections held, all of them?",
        "A band of seconds above one of milliseconds: some routes await with a connection.",
        lambda scope, by: scope.increase((*by, "le"), USE, part="_bucket"),
        (),
    ),
    "oldest_hold": Signal(
        "How long has the connection been out by now that is out longest?",
        "Grows without end: a leak, or a job. The live page says who, and at which line.",
        lambda scope, by: scope.most(by, "pool_observer.oldest_hold"),
        PROCESS,
        Unit.SECONDS,
        (Limit("leak_after", "warning"),),
    ),
    "returned": Signal(
        "How do holds end? `lost` are those that nobody gave back.",
        "`lost` should be 0. `detached` is rare, and on purpose.",
        lambda scope, by: scope.rate((*by, "how"), "pool_observer.returns"),
        PROCESS,
        Unit.PER_SECOND,
    ),
}
