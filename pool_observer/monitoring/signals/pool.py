"""What pools have, and what is wanted of them."""

from __future__ import annotations

from pool_observer.monitoring.scope import INSTANCE, JOB, PROCESS, SERVICE, By, Scope
from pool_observer.monitoring.signal import NEVER, Limit, Signal, Unit


def _churn(scope: Scope, by: By) -> str:
    opened = scope.rate(by, "pool_observer.connections_opened")
    taken = scope.rate(by, "pool_observer.checkouts")
    # NullPool keeps nothing and is meant to open a connection each time.
    keeps = scope.sum(by, "db.client.connection.idle.max")
    return f"{opened}\n/\n({taken} > 0)\nand\n{keeps} > 0"


CAPACITY = {
    "utilization": Signal(
        "How much of the pool is in use? Of several workers, the worst: one that is full is not "
        "helped by three that are not.",
        "Routes and holders shows who has the connections, and what for. A larger pool is the "
        "mend only where they are all executing.",
        lambda scope, by: scope.most(by, "pool_observer.utilization_ratio"),
        PROCESS,
        Unit.RATIO,
        (Limit("high_ratio", "warning"), Limit("full_ratio")),
    ),
    "used": Signal(
        "How many connections are out?",
        "See who holds them: Routes and holders.",
        lambda scope, by: scope.sum(
            by, "db.client.connection.count", 'db_client_connection_state="used"'
        ),
        PROCESS,
    ),
    "idle": Signal(
        "How many open connections rest in the pool?",
        "Many of them at all times, on all replicas: the pool is larger than it need be.",
        lambda scope, by: scope.sum(
            by, "db.client.connection.count", 'db_client_connection_state="idle"'
        ),
        PROCESS,
    ),
    "most": Signal(
        "How many connections can be out at the same time, overflow included?",
        "Size it from what was measured: `pool-observer advise`.",
        lambda scope, by: scope.sum(by, "db.client.connection.max"),
        PROCESS,
    ),
    "kept": Signal(
        "How many connections does the pool keep when nobody uses them?",
        "What is above is overflow: opened when needed, and closed again.",
        lambda scope, by: scope.sum(by, "db.client.connection.idle.max"),
        PROCESS,
    ),
    "demand": Signal(
        "How many connections were wanted at the same time within the last minute? Above the "
        "maximum, as many as that had to queue.",
        "Demand above the pool: release connections before slow awaits, then size the pool.",
        lambda scope, by: scope.most(by, "pool_observer.peak_demand"),
        PROCESS,
    ),
    "waiting": Signal(
        "How many callers wait for a connection now?",
        "Somebody holds what they wait for: see blame in Routes and holders.",
        lambda scope, by: scope.sum(by, "db.client.connection.pending_requests"),
        PROCESS,
        limits=NEVER,
    ),
    "full": Signal(
        "For what share of the time was the pool full? Counts the bursts between two scrapes, "
        "which gauges miss. In the process where it was full for longest; workers that are scraped "
        "as one are added up.",
        "Short and seldom is a burst, and the queue is there for it. Else see who holds.",
        lambda scope, by: scope.fastest(by, "pool_observer.full_seconds"),
        PROCESS,
        Unit.RATIO,
    ),
    "filled": Signal(
        "How often has the pool become full?",
        "Often and shortly: bursts. Seldom and long: somebody holds.",
        lambda scope, by: scope.rate(by, "pool_observer.full"),
        PROCESS,
        Unit.PER_SECOND,
    ),
    "checkouts": Signal(
        "How many connections are handed out in a second?",
        "Nothing is wrong with many; see how long each is held.",
        lambda scope, by: scope.rate(by, "pool_observer.checkouts"),
        PROCESS,
        Unit.PER_SECOND,
    ),
    "churn": Signal(
        "For what share of checkouts has a connection to be opened? A pool is there to keep that "
        "near 0.",
        "Demand is above pool_size all the time (raise it, and lower max_overflow), or connections "
        "die: see those invalidated, and pool_recycle.",
        _churn,
        PROCESS,
        Unit.RATIO,
        (Limit("churn_ratio", "warning"),),
    ),
    "opened": Signal(
        "How many connections to the database are opened in a second?",
        "As many as are closed, all the time: raise pool_size.",
        lambda scope, by: scope.rate(by, "pool_observer.connections_opened"),
        PROCESS,
        Unit.PER_SECOND,
    ),
    "closed": Signal(
        "How many connections to the database are closed in a second?",
        "As many as are opened, all the time: raise pool_size.",
        lambda scope, by: scope.rate(by, "pool_observer.connections_closed"),
        PROCESS,
        Unit.PER_SECOND,
    ),
    "invalidated": Signal(
        "How many connections were found broken?",
        "The server, a proxy or a firewall cuts them: pool_pre_ping=True, and a pool_recycle below "
        "their idle time-out.",
        lambda scope, by: scope.rate(by, "pool_observer.connections_invalidated"),
        PROCESS,
        Unit.PER_SECOND,
    ),
    "opening": Signal(
        "How long does it take to open a connection, for the slowest 5 %?",
        "TLS, DNS, authentication or a server out of memory: it is not the pool that is slow.",
        lambda scope, by: scope.quantile(0.95, by, "db.client.connection.create_time"),
        PROCESS,
        Unit.SECONDS,
    ),
    "loop_lag": Signal(
        "How late does the event loop run what is due? At the worst of the last 15 seconds, of the "
        "worst worker.",
        "Something blocks the loop: a sync driver, `requests`, heavy computing. No pool size "
        "helps; the log and the live page name the line.",
        lambda scope, by: scope.most(by, "pool_observer.event_loop_lag"),
        (JOB, INSTANCE),
        Unit.SECONDS,
        (Limit("loop_lag", "warning"),),
    ),
    "processes": Signal(
        "How many processes, or sets of workers that are scraped as one, have this pool?",
        "Fewer than there should be: some are not scraped, or have died.",
        lambda scope, by: f"count by ({scope.labels(by)}) ({scope.series('pool_observer.info')})",
        SERVICE,
    ),
}
