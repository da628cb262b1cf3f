"""How long callers wait for a connection, and what they wait for."""

from __future__ import annotations

from pool_observer.monitoring.scope import PROCESS, By, Scope
from pool_observer.monitoring.signal import Limit, Signal, Unit

WAIT = "db.client.connection.wait_time"

_WHOM_TO_ASK = (
    "Blame, in Routes and holders, says who makes them wait. What waits are made of says whether "
    "it is the pool at all, or connecting, or the ping."
)


def _quantile(quantile: float | None = None) -> Signal:
    def ask(scope: Scope, by: By) -> str:
        share = scope.settings.thresholds.slow_wait_quantile if quantile is None else quantile
        return scope.quantile(share, by, WAIT)

    which = "the slowest few" if quantile is None else f"{quantile:.0%} of callers at most"
    limits = () if quantile == 0.5 else (Limit("slow_wait", "warning"), Limit("queue_wait"))
    return Signal(
        f"How long do {which} wait for a connection? Those who gave up are counted. Shows nothing "
        "while nobody gets one: the oldest wait does.",
        _WHOM_TO_ASK,
        ask,
        PROCESS,
        Unit.SECONDS,
        limits,
    )


def _long_waits(scope: Scope, by: By) -> str:
    limit = f"{scope.settings.thresholds.queue_wait:g}"
    # Prometheus 3 and OpenMetrics write 2.0 where others write 2.
    bound = f'le=~"{limit.replace(".", "[.]")}([.]0)?"'
    waits = scope.increase(by, WAIT, part="_count")
    shorter = scope.increase(by, WAIT, bound, part="_bucket")
    return f"round({waits} - {shorter})"


def _seconds(stage: str, question: str, mend: str) -> Signal:
    return Signal(
        question,
        mend,
        lambda scope, by: scope.rate(by, f"pool_observer.{stage}"),
        PROCESS,
        Unit.COUNT,
    )


WAITING = {
    "wait_quantile": _quantile(),
    "wait_p50": _quantile(0.5),
    "wait_p95": _quantile(0.95),
    "wait_p99": _quantile(0.99),
    "oldest_wait": Signal(
        "How long has the caller waited by now who waits longest? Tells of a pool that is stuck, "
        "where nothing completes and all other figures stand still.",
        "Look who holds: Routes and holders, the live page, `explain()`.",
        lambda scope, by: scope.most(by, "pool_observer.oldest_wait"),
        PROCESS,
        Unit.SECONDS,
        (Limit("slow_wait", "warning"), Limit("queue_wait")),
    ),
    "long_waits": Signal(
        "How many callers waited longer than any request should?",
        _WHOM_TO_ASK,
        _long_waits,
        PROCESS,
    ),
    "wait_buckets": Signal(
        "How long do callers wait, all of them?",
        "Two bands are two kinds of callers: those who find a connection, and those who queue.",
        lambda scope, by: scope.increase((*by, "le"), WAIT, part="_bucket"),
        (),
        Unit.COUNT,
    ),
    "queueing": _seconds(
        "queue",
        "How many callers were queueing for a connection, on average?",
        "Queueing is the pool: somebody holds, or it is too small.",
    ),
    "connecting": _seconds(
        "connect",
        "How many callers were waiting for a connection to be opened, on average?",
        "Connecting is the server or the network: a larger pool makes it worse.",
    ),
    "pinging": _seconds(
        "ping",
        "How many callers were waiting for a connection to be tested, on average?",
        "Pinging is the round trip to the server (pool_pre_ping).",
    ),
}
