"""Every metric there is, once: name, labels, meaning, and where its figures come from.

Exporters, dashboards, alerts and the reference in `docs/` derive from this table. The names
that begin with `db.client.connection` are OpenTelemetry's, and mean what its semantic
conventions say; the others are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pool_observer.buckets import CREATE_BOUNDS, USE_BOUNDS, WAIT_BOUNDS
from pool_observer.metric import Across, Kind, Metric, Reading
from pool_observer.model import NANOSECONDS
from pool_observer.server_metrics import SERVER_METRICS
from pool_observer.state import Distribution, HolderTotals, PoolState

COUNTER, GAUGE, HISTOGRAM = Kind

Read = Callable[[PoolState], Iterable[Reading]]


def _pool(value: Callable[[PoolState], float | Distribution | None]) -> Read:
    """One figure for the pool; no series where it has none."""

    def read(state: PoolState) -> Iterable[Reading]:
        figure = value(state)
        return [] if figure is None else [((), figure)]

    return read


# Readings are given one by one: there may be thousands of them.


def _holders(value: Callable[[HolderTotals], float | Distribution]) -> Read:
    """A figure for each holder."""

    def read(state: PoolState) -> Iterator[Reading]:
        for holder, totals in state.totals.holders.items():
            yield (holder,), value(totals)

    return read


def _split(by_kind: Callable[[HolderTotals], Mapping[Any, int]], unit: int = 1) -> Read:
    """A figure for each holder and each kind of what it has done."""

    def read(state: PoolState) -> Iterator[Reading]:
        for holder, totals in state.totals.holders.items():
            for kind, figure in by_kind(totals).items():
                yield (holder, kind.value), figure / unit

    return read


def _sum_seconds(nanoseconds: Callable[[HolderTotals], int]) -> Read:
    """The seconds of all holders together."""
    return _pool(lambda state: sum(map(nanoseconds, state.totals.holders.values())) / NANOSECONDS)


def _info(state: PoolState) -> Iterable[Reading]:
    settings = state.settings
    if settings is None:
        return []
    values = (
        settings.pool_class,
        settings.dialect,
        settings.driver,
        settings.size,
        settings.max_overflow,
        settings.timeout,
        settings.recycle,
        settings.pre_ping,
    )
    return [(tuple(_text(value) for value in values), 1)]


def _text(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _overdue(state: PoolState) -> Iterable[Reading]:
    overdue = Counter(hold.holder for hold in state.open_holds if hold.overdue)
    return [((holder,), overdue[holder]) for holder in state.totals.holders]


CONTRACT: tuple[Metric, ...] = (
    Metric(
        "db.client.connection.count", GAUGE, "{connection}", ("db.client.connection.state",),
        "Connections that are out now (used), and open ones that rest in the pool (idle).",
        lambda state: [(("idle",), state.idle), (("used",), state.used)],
    ),
    Metric(
        "db.client.connection.max", GAUGE, "{connection}", (),
        "The most connections the pool will ever hand out: its size and its overflow.",
        _pool(lambda state: state.max),
    ),
    Metric(
        "db.client.connection.idle.max", GAUGE, "{connection}", (),
        "The most connections the pool keeps open when nobody uses them: its size.",
        _pool(lambda state: state.idle_max),
    ),
    Metric(
        "db.client.connection.idle.min", GAUGE, "{connection}", (),
        "The connections the pool keeps open in any case: none, SQLAlchemy opens them on demand.",
        _pool(lambda _state: 0),
    ),
    Metric(
        "db.client.connection.pending_requests", GAUGE, "{request}", (),
        "Callers that have asked for a connection and not got one yet.",
        _pool(lambda state: state.waiting),
    ),
    Metric(
        "db.client.connection.timeouts", COUNTER, "{timeout}", ("holder",),
        "Callers that gave up because the pool had no connection within its time-out. "
        "The holder is the victim; blamed_wait_seconds has the culprits.",
        _holders(lambda totals: totals.timed_out),
    ),
    Metric(
        "db.client.connection.create_time", HISTOGRAM, "s", (),
        "How long it took to open a connection to the database.",
        _pool(lambda state: state.totals.create_time),
        bounds=CREATE_BOUNDS,
    ),
    Metric(
        "db.client.connection.wait_time", HISTOGRAM, "s", ("holder",),
        "How long callers waited for a connection, those who did not get one included.",
        _holders(lambda totals: totals.wait_time),
        bounds=WAIT_BOUNDS,
    ),
    Metric(
        "db.client.connection.use_time", HISTOGRAM, "s", ("holder",),
        "How long connections were held that have been given back since.",
        _holders(lambda totals: totals.use_time),
        bounds=USE_BOUNDS,
    ),
    Metric(
        "pool_observer.info", GAUGE, "",
        (
            "pool_class", "dialect", "driver", "size", "overflow", "timeout", "recycle",
            "pre_ping",
        ),
        "How the pool is configured. What does not apply to its class is empty; always 1.",
        _info,
        Across.WORST,
    ),
    Metric(
        "pool_observer.checkouts", COUNTER, "{checkout}", ("holder",),
        "Connections that were handed out.",
        _holders(lambda totals: totals.checkouts),
    ),
    Metric(
        "pool_observer.returns", COUNTER, "{return}", ("holder", "how"),
        "Connections that are no longer held: returned to the pool (checkin), taken out of it "
        "(detached), or dropped and reclaimed by the garbage collector (lost).",
        _split(lambda totals: totals.returns),
    ),
    Metric(
        "pool_observer.activity", COUNTER, "s", ("holder", "activity"),
        "Seconds that connections were held, by what for: executing a statement, in_transaction "
        "between statements, idle with no transaction. Holds that are still open are counted as "
        "they run, so its rate is the average number of connections held.",
        _split(lambda totals: totals.activity_ns, NANOSECONDS),
    ),
    Metric(
        "pool_observer.phase", COUNTER, "s", ("holder", "phase"),
        "Seconds that requests held connections, by where the request was: in its handler, "
        "sending the response, at work in the background after it, or over (detached).",
        _split(lambda totals: totals.phase_ns, NANOSECONDS),
    ),
    Metric(
        "pool_observer.queue", COUNTER, "s", (),
        "Seconds that callers waited for others to give a connection back.",
        _sum_seconds(lambda totals: totals.queue_ns),
    ),
    Metric(
        "pool_observer.connect", COUNTER, "s", (),
        "Seconds that callers waited while a connection was opened for them.",
        _sum_seconds(lambda totals: totals.connect_ns),
    ),
    Metric(
        "pool_observer.ping", COUNTER, "s", (),
        "Seconds that callers waited while their connection was tested (pool_pre_ping).",
        _sum_seconds(lambda totals: totals.ping_ns),
    ),
    Metric(
        "pool_observer.blamed_wait", COUNTER, "s", ("holder",),
        "Seconds that others queued, shared equally among those who held connections meanwhile. "
        "The holder is the culprit.",
        _holders(lambda totals: totals.blamed_seconds),
    ),
    Metric(
        "pool_observer.utilization_ratio", GAUGE, "1", (),
        "The share of the pool that is in use, 1 when it is full. Of several workers, the worst.",
        _pool(lambda state: state.utilization),
        Across.WORST,
    ),
    Metric(
        "pool_observer.peak_demand", GAUGE, "{connection}", (),
        "The most connections that were held or asked for at the same time within the last "
        "minute. Above the maximum: that many had to queue. Of several workers, the worst.",
        _pool(lambda state: state.peak_demand),
        Across.WORST,
    ),
    Metric(
        "pool_observer.full_seconds", COUNTER, "s", (),
        "Seconds for which the pool was full: whoever asked next had to queue. Sees the bursts "
        "that gauges miss.",
        _pool(lambda state: None if state.max is None else state.totals.full_ns / NANOSECONDS),
    ),
    Metric(
        "pool_observer.full", COUNTER, "{time}", (),
        "How often the pool has become full.",
        _pool(lambda state: None if state.max is None else state.totals.full_times),
    ),
    Metric(
        "pool_observer.oldest_hold", GAUGE, "s", (),
        "How long the longest hold that is still open has lasted. Tells of trouble when nothing "
        "completes any more, and histograms stand still.",
        _pool(lambda state: state.oldest_hold_seconds),
        Across.WORST,
    ),
    Metric(
        "pool_observer.oldest_wait", GAUGE, "s", (),
        "How long the caller has waited that waits longest.",
        _pool(lambda state: state.oldest_wait_seconds),
        Across.WORST,
    ),
    Metric(
        "pool_observer.overdue_connections", GAUGE, "{connection}", ("holder",),
        "Connections that are out now for longer than their limit: leaks, while they are open.",
        _overdue,
    ),
    Metric(
        "pool_observer.overdue", COUNTER, "{connection}", ("holder",),
        "Connections that have been out for longer than their limit, returned since or not.",
        _holders(lambda totals: totals.overdue),
    ),
    Metric(
        "pool_observer.nested_checkouts", COUNTER, "{checkout}", ("holder",),
        "Connections asked for by who held one of this pool already. When all connections are "
        "held by such callers, they wait for each other.",
        _holders(lambda totals: totals.nested),
    ),
    Metric(
        "pool_observer.connections_opened", COUNTER, "{connection}", (),
        "Connections to the database that were opened.",
        _pool(lambda state: state.totals.connections_opened),
    ),
    Metric(
        "pool_observer.connections_closed", COUNTER, "{connection}", (),
        "Connections to the database that were closed.",
        _pool(lambda state: state.totals.connections_closed),
    ),
    Metric(
        "pool_observer.connections_invalidated", COUNTER, "{connection}", (),
        "Connections that were found unusable: broken, or cut by the server.",
        _pool(lambda state: state.totals.connections_invalidated),
    ),
    Metric(
        "pool_observer.event_loop_lag", GAUGE, "s", (),
        "How late the event loop that uses the pool has run what was due, at the worst of the "
        "last 15 seconds. High: the loop is blocked, whatever the pool does.",
        _pool(lambda state: state.event_loop_lag_seconds),
        Across.WORST,
    ),
    Metric(
        "pool_observer.internal_errors", COUNTER, "{error}", (),
        "Failures inside pool_observer. None of them reached the application; the first at each "
        "place is in the log.",
        _pool(lambda state: sum(state.totals.internal_errors.values())),
    ),
    Metric(
        "pool_observer.dropped_events", COUNTER, "{event}", (),
        "Waits and holds that pool_observer had no room for: missing from all figures or, where "
        "listeners do not keep up (the log says so), from theirs.",
        _pool(lambda state: state.totals.dropped_events),
    ),
    Metric(
        "pool_observer.ledger_drift", GAUGE, "{connection}", (),
        "Connections in use by our count, less those by the pool's own. 0, or a bug of ours.",
        _pool(lambda state: state.drift),
    ),
    *SERVER_METRICS,
)  # fmt: skip
