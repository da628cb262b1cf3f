"""Alerts about what a pool has, and what is wanted of it."""

from __future__ import annotations

from tests.monitoring.promtool.eight import Trouble, told_apart
from tests.monitoring.promtool.held import CULPRITS, HELD, activity
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import BILLING, ORDERS, bad, counter, gauge, good, told
from tests.monitoring.promtool.texts import GRAFANA, PROCESS_URL, RUNBOOKS


def _exhausted(culprits: str) -> Page:
    return Page(
        ORDERS | {"severity": "critical"},
        "Pool db.internal:5432/orders of shop (10.0.0.7:8000) is full",
        "All connections that pool db.internal:5432/orders of shop (10.0.0.7:8000) may open are "
        "out (of several workers, in the worst): whoever asks next queues, and fails after "
        f"pool_timeout.{culprits}",
        f"{RUNBOOKS}#connectionpoolexhausted",
        f"{GRAFANA}/pool-observer-pool?{PROCESS_URL}",
    )


_FULL = gauge("pool_observer_utilization_ratio", good=0.2, below=0.95, bad=1)
_FROM_NOW_ON = activity("POST /chat/{id}", "idle", good=0, bad=900)
_OUT = {"db_client_connection_state": "used"}

EXHAUSTED = Case(
    "ConnectionPoolExhausted",
    (
        *Trouble(
            (_FULL, *HELD),
            pages=[_exhausted(CULPRITS)],
            early="there is none, it fires at once",
            merged=(
                gauge("pool_observer_utilization_ratio", good=0.2, bad=1),
                gauge("db_client_connection_count", labels=_OUT, good=3, bad=15),
                gauge("db_client_connection_max", good=60),
                *HELD,
            ),
            merged_says="scraped as one, a quarter of their connections is out",
        ).eight(),
        told_apart([_FULL], _exhausted("")),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_FULL, _FROM_NOW_ON], good(10), bad(10)),
            (paged("19m", _exhausted(" Held, on average: 15.0 x POST /chat/{id}.")),),
            "who holds now is told, and not who held",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_FULL], good(10), bad(5)),
            (paged("10m", _exhausted("")),),
            "nothing is said of culprits where none are known",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [gauge("db_client_connection_count", labels=_OUT, good=200), *HELD],
                good(30),
            ),
            silent("10m", "29m"),
            "a pool without a limit has no utilization",
        ),
    ),
)


def _nearly(value: str, culprits: str) -> Page:
    return Page(
        ORDERS | {"severity": "warning"},
        "Pool db.internal:5432/orders of shop (10.0.0.7:8000) is nearly full: " + value,
        "For 5 min, at least 80 % of pool db.internal:5432/orders of shop (10.0.0.7:8000) have "
        f"been in use: the next burst will queue.{culprits}",
        f"{RUNBOOKS}#connectionpoolnearlyfull",
        f"{GRAFANA}/pool-observer-pool?{PROCESS_URL}",
    )


_HIGH = gauge("pool_observer_utilization_ratio", good=0.2, below=0.79, bad=0.875)

NEARLY_FULL = Case(
    "ConnectionPoolNearlyFull",
    (
        *Trouble(
            (_HIGH, *HELD),
            pages=[_nearly("87.5%", CULPRITS)],
            fires=5,
            merged=(
                _HIGH,
                gauge("db_client_connection_count", labels=_OUT, good=3, bad=14),
                gauge("db_client_connection_max", good=64),
                *HELD,
            ),
            merged_says="scraped as one, less than a quarter of their connections is out",
        ).eight(),
        told_apart([_HIGH], _nearly("87.5%", "")),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [gauge("pool_observer_utilization_ratio", good=0.8)], good(10)),
            (*silent("4m"), paged("5m", _nearly("80%", ""))),
            "the limit is part of it",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_HIGH], good(1), bad(4), good(1), bad(4), good(1), bad(4), good(1)),
            silent("5m", "8m", "13m", "14m"),
            "bursts that are over in time",
        ),
    ),
)


def _churn(share: str) -> Page:
    return Page(
        ORDERS | {"severity": "warning"},
        "Pool db.internal:5432/orders of shop (10.0.0.7:8000) opens a connection for "
        f"{share} of its checkouts",
        "For 10 min, pool db.internal:5432/orders of shop (10.0.0.7:8000) has opened a connection "
        f"for more than 20 % of its checkouts ({share}): its overflow is in use all the time, or "
        "its connections die.",
        f"{RUNBOOKS}#connectionpoolchurn",
        f"{GRAFANA}/pool-observer-pool?{PROCESS_URL}",
    )


_TAKEN = counter("pool_observer_checkouts_total", labels={"holder": "GET /orders"}, good=60)
_OPENED = counter("pool_observer_connections_opened_total", good=1, below=12, bad=30)
_KEEPS = gauge("db_client_connection_idle_max", good=5)
_UNUSED = counter("pool_observer_checkouts_total", labels={"holder": "GET /orders"}, good=0)

CHURN = Case(
    "ConnectionPoolChurn",
    (
        *Trouble(
            (_TAKEN, _OPENED, _KEEPS),
            pages=[_churn("50%")],
            lasts=16,
            fires=11,
            fades=3,
            below="exactly a fifth",
            reset=[_churn("50%")],
            merged=(
                counter(
                    "pool_observer_checkouts_total", labels={"holder": "GET /orders"}, good=240
                ),
                counter("pool_observer_connections_opened_total", good=4, bad=63),
                gauge("db_client_connection_idle_max", good=20),
            ),
            merged_pages=[_churn("26.25%")],
            merged_says="scraped as one, it opens one for each checkout, and the others hardly any",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [_TAKEN, _OPENED, gauge("db_client_connection_idle_max", good=0)],
                *(good(10), bad(40)),
            ),
            silent("30m", "49m"),
            "NullPool keeps none and is meant to open each",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_TAKEN, _OPENED], good(10), bad(40)),
            silent("30m", "49m"),
            "a pool that does not say what it keeps",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [_UNUSED, counter("pool_observer_connections_opened_total", good=0), _KEEPS],
                good(40),
            ),
            silent("20m", "39m"),
            "nothing is taken and nothing opened, which is no share of anything",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_UNUSED, _OPENED, _KEEPS], good(10), bad(40)),
            silent("20m", "30m", "49m"),
            "some are opened and none is taken, which is no share either, nor infinite",
        ),
    ),
)

_LAG = gauge("pool_observer_event_loop_lag_seconds", good=0.002, below=1, bad=2.5)

_BLOCKED = Page(
    {"job": "shop", "instance": "10.0.0.7:8000", "severity": "warning"},
    "The event loop of shop (10.0.0.7:8000) is late by 2.5s",
    "For 1 min, the event loop of shop (10.0.0.7:8000) has been late by more than 1 s, at its "
    "worst: something blocks it, and every request with it. No size of pool helps.",
    f"{RUNBOOKS}#eventloopblocked",
    f"{GRAFANA}/pool-observer-pool?var-job=shop&var-instance=10.0.0.7%3A8000",
)

LOOP_BLOCKED = Case(
    "EventLoopBlocked",
    (
        *Trouble(
            [_LAG],
            pages=[_BLOCKED],
            fires=1,
            below="exactly a second",
            merged_says="scraped as one, the lag of the worst is told",
        ).eight(),
        told_apart([_LAG], _BLOCKED),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_LAG], good(10), bad(10)) + told(BILLING, [_LAG], good(10), bad(10)),
            (*silent("10m"), paged("11m", _BLOCKED)),
            "all pools of the process are late by as much, which is one alert",
        ),
    ),
)

CASES = (EXHAUSTED, NEARLY_FULL, CHURN, LOOP_BLOCKED)
