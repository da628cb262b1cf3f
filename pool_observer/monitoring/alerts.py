"""Every alert. Each has a section in the runbooks, and unit tests, by its name."""

from __future__ import annotations

from pool_observer.monitoring.alert import Alert
from pool_observer.monitoring.budget import Burn


def _burning(kind: str, severity: str) -> Alert:
    return Alert(
        "ConnectionPoolTimeoutBudgetBurn",
        ("timeout_ratio",),
        severity,
        "Pool <pool> of <job> fails <value> of its callers",
        "Over <window>, <value> of the callers of pool <pool> of <job> got no connection within "
        "pool_timeout: more than <bar>, while the budget is <error_ratio>.<culprits>",
        topic="errors",
        burn=Burn(kind),
    )


ALERTS = (
    Alert(
        "ConnectionPoolExhausted",
        ("utilization",),
        "critical",
        "Pool <pool> of <process> is full",
        "All connections that pool <pool> of <process> may open are out (of several workers, in "
        "the worst): whoever asks next queues, and fails after pool_timeout.<culprits>",
        limit="full_ratio",
        hold="full_for",
        comparison=">=",
    ),
    Alert(
        "ConnectionPoolNearlyFull",
        ("utilization",),
        "warning",
        "Pool <pool> of <process> is nearly full: <value>",
        "For <high_for>, at least <limit> of pool <pool> of <process> have been in use: the next "
        "burst will queue.<culprits>",
        limit="high_ratio",
        hold="high_for",
        comparison=">=",
    ),
    Alert(
        "ConnectionPoolAcquireSlow",
        ("wait_quantile", "oldest_wait"),
        "warning",
        "Connections of pool <pool> of <process> take <value> to get",
        "For <slow_wait_for>, callers of pool <pool> of <process> have waited longer than <limit> "
        "for a connection: the <slow_wait_quantile> quantile, or where nobody gets one any more, "
        "the caller that waits longest, is at <value>.<culprits>",
        limit="slow_wait",
        hold="slow_wait_for",
        topic="waits",
    ),
    Alert(
        "ConnectionPoolQueueWait",
        ("oldest_wait",),
        "critical",
        "Somebody has waited <value> for a connection of pool <pool> of <process>",
        "No request should wait longer than <limit>. Pool <pool> of <process> has kept a caller "
        "waiting for <value> by now.<culprits>",
        limit="queue_wait",
        topic="waits",
    ),
    Alert(
        "ConnectionPoolLongWaits",
        ("long_waits",),
        "warning",
        "Callers of pool <pool> of <process> waited longer than <queue_wait>: <value>",
        "Within the last <rate_window>, callers of pool <pool> of <process> waited longer than "
        "<queue_wait> for a connection, those who gave up included: <value>.<culprits>",
        topic="waits",
    ),
    Alert(
        "ConnectionPoolLeak",
        ("leaks",),
        "warning",
        "<holder> leaks connections of pool <pool> of <process>",
        "<holder> has taken connections of pool <pool> of <process> and not given them back: "
        "<value> on average over <leak_window>. Each is lost to the pool until the process ends.",
        limit="leaked_connections",
        window="leak_window",
        dashboard="holders",
        topic="leaks",
    ),
    Alert(
        "ConnectionPoolReturnsBehind",
        ("behind",),
        "info",
        "Pool <pool> of <process> gets back fewer connections than it hands out",
        "For <imbalance_for>, pool <pool> of <process> has handed out more connections than it got "
        "back, by <value> a second: load that grows, holds that get longer, or an error path that "
        "returns none.",
        hold="imbalance_for",
        topic="leaks",
    ),
    Alert(
        "ConnectionPoolOverdueHolds",
        ("overdue",),
        "warning",
        "<holder> holds connections of pool <pool> of <process> for too long",
        "<holder> has had connections of pool <pool> of <process> for longer than leak_after "
        "(<leak_after> unless the service says otherwise): <value> now. The log has the line that "
        "took each, and where the holder stands.",
        dashboard="holders",
        topic="leaks",
    ),
    Alert(
        "ConnectionPoolLostConnections",
        ("lost",),
        "warning",
        "<holder> drops connections of pool <pool> of <process>",
        "Within the last <recent>, the garbage collector found connections of pool <pool> of "
        "<process> that <holder> took and nobody returned: <value>. The log has the line that took "
        "each.",
        window="recent",
        dashboard="holders",
        topic="leaks",
    ),
    _burning("fast", "critical"),
    _burning("slow", "critical"),
    _burning("steady", "warning"),
    Alert(
        "ConnectionPoolIdleCapacity",
        ("idle_capacity",),
        "warning",
        "<holder> keeps <value> of pool <pool> of <process> without using it",
        "For <idle_capacity_for>, <holder> has kept <value> of the connections of pool <pool> of "
        "<process> while it executed nothing: it awaits something else. The pool will be full when "
        "there is more of its traffic; released before the await, they would be free.",
        limit="idle_capacity_ratio",
        hold="idle_capacity_for",
        dashboard="holders",
        topic="holders",
    ),
    Alert(
        "ConnectionPoolIdleInTransaction",
        ("resting", "oldest_at_rest"),
        "warning",
        "<holder> leaves transactions of pool <pool> of <process> idle for <value>",
        "For <idle_in_transaction_for>, transactions of <holder> in pool <pool> of <process> have "
        "rested between their statements for longer than <limit>, all rests of a connection taken "
        "together: <value>. Their locks last as long, and vacuum waits for them.",
        limit="idle_in_transaction",
        hold="idle_in_transaction_for",
        dashboard="database",
        topic="holders",
    ),
    Alert(
        "ConnectionPoolNestedCheckouts",
        ("nested",),
        "warning",
        "<holder> takes a second connection of pool <pool> of <process> while it has one",
        "How often <holder> asked pool <pool> of <process> for a connection while it held one, "
        "within the last <recent>: <value>. When all are held by such callers, they wait for each "
        "other.",
        window="recent",
        dashboard="holders",
        topic="holders",
    ),
    Alert(
        "ConnectionPoolChurn",
        ("churn",),
        "warning",
        "Pool <pool> of <process> opens a connection for <value> of its checkouts",
        "For <churn_for>, pool <pool> of <process> has opened a connection for more than <limit> "
        "of its checkouts (<value>): its overflow is in use all the time, or its connections die.",
        limit="churn_ratio",
        hold="churn_for",
    ),
    Alert(
        "DatabaseConnectionBudget",
        ("budget",),
        "warning",
        "The pools <pool> of <job> may open more connections than the database has for them",
        "All processes of <job> together may open <value> of the connections that the database of "
        "pool <pool> has for pools: max_connections, less what is kept for superusers, less "
        "<server_reserve_ratio> for deployments, migrations and people. At full load it refuses.",
        limit="server_budget_ratio",
        hold="server_reserve_for",
        dashboard="fleet",
        topic="server",
    ),
    Alert(
        "DatabaseConnectionsNearlyExhausted",
        ("server_used",),
        "critical",
        "The database of pool <pool> of <job> has <value> of its connections in use",
        "For <server_used_for>, more than <limit> of max_connections of the database of pool "
        "<pool> of <job> have been in use, by whomever. When none is left it refuses: too many "
        "clients.",
        limit="server_used_ratio",
        hold="server_used_for",
        dashboard="database",
        topic="server",
    ),
    Alert(
        "DatabaseNotAnswering",
        ("server_up",),
        "critical",
        "The database of pool <pool> of <job> does not answer",
        "For <server_down_for>, the database of pool <pool> of <job> has not answered the probe of "
        "at least one process. The log of the service has its refusal.",
        hold="server_down_for",
        comparison="==",
        dashboard="database",
        topic="server",
    ),
    Alert(
        "DatabaseLockHeld",
        ("blocks",),
        "warning",
        "<holder> has a lock that others wait for, in the database of pool <pool> of <process>",
        "For <lock_for>, sessions of the database of pool <pool> of <process> have waited for a "
        "lock of <holder>: <value> now. It lasts until its transaction ends.",
        hold="lock_for",
        dashboard="database",
        topic="server",
    ),
    Alert(
        "EventLoopBlocked",
        ("loop_lag",),
        "warning",
        "The event loop of <process> is late by <value>",
        "For <loop_lag_for>, the event loop of <process> has been late by more than <limit>, at "
        "its worst: something blocks it, and every request with it. No size "
        "of pool helps.",
        limit="loop_lag",
        hold="loop_lag_for",
    ),
    Alert(
        "ConnectionPoolMetricsAbsent",
        ("absent",),
        "warning",
        "No metrics of <which>",
        "For <absent_for>, no process has had metrics of <which>: the service is down, is not "
        "scraped, or does not call observe(). Until it has some, no other alert can tell of it.",
        hold="absent_for",
        dashboard="fleet",
        topic="itself",
    ),
    Alert(
        "PoolObserverInternalErrors",
        ("internal_errors",),
        "info",
        "pool_observer has failed in <process>",
        "Failures of pool_observer in <process>, pool <pool>, within the last <recent>: <value>. "
        "None reached the application, but figures may be wrong. The first at each place is in the "
        "log.",
        window="recent",
        dashboard="fleet",
        topic="itself",
    ),
    Alert(
        "PoolObserverDroppedEvents",
        ("dropped",),
        "info",
        "pool_observer has dropped events in <process>",
        "Waits and holds of pool <pool> of <process> that pool_observer had no room for, within "
        "the last <recent>: <value>. Figures are too low.",
        window="recent",
        dashboard="fleet",
        topic="itself",
    ),
)
