"""Alerts about who holds connections, and what for."""

from __future__ import annotations

from tests.monitoring.promtool.eight import Trouble, told_apart
from tests.monitoring.promtool.held import activity
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    ORDERS,
    Series,
    bad,
    below,
    counter,
    gauge,
    good,
    told,
    unseen,
)
from tests.monitoring.promtool.texts import CHAT, GRAFANA, HOLDER_LABELS, HOLDER_URL, RUNBOOKS

_CHAT = "POST /chat/{id}"
_LABELS = HOLDER_LABELS | {"severity": "warning"}


def _idle_capacity(share: str) -> Page:
    return Page(
        _LABELS,
        f"POST /chat/{{id}} keeps {share} of pool db.internal:5432/orders of shop (10.0.0.7:8000) "
        "without using it",
        f"For 2 min, POST /chat/{{id}} has kept {share} of the connections of pool "
        "db.internal:5432/orders of shop (10.0.0.7:8000) while it executed nothing: it awaits "
        "something else. The pool will be full when there is more of its traffic; released before "
        "the await, they would be free.",
        f"{RUNBOOKS}#connectionpoolidlecapacity",
        f"{GRAFANA}/pool-observer-holders?{HOLDER_URL}",
    )


_MOST = gauge("db_client_connection_max", good=10)
_KEPT = (
    activity(_CHAT, "executing", good=300),
    activity(_CHAT, "in_transaction", good=30),
    activity(_CHAT, "idle", good=30, below=150, bad=210),
    activity("GET /orders", "executing", good=300),
    activity("GET /orders", "idle", good=60),
)

IDLE_CAPACITY = Case(
    "ConnectionPoolIdleCapacity",
    (
        *Trouble(
            (*_KEPT, _MOST),
            fires=5,
            pages=[_idle_capacity("40%")],
            fades=2,
            below="exactly three of ten, beside five that execute",
            reset=[_idle_capacity("40%")],
            reset_after=6,
            merged=(
                activity(_CHAT, "idle", good=30, bad=15 * 60),
                gauge("db_client_connection_max", good=40),
            ),
            merged_pages=[_idle_capacity("37.5%")],
            merged_says="scraped as one, it is the share of all their connections",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _KEPT, good(10), bad(10)),
            silent("15m", "19m"),
            "there is no share of a pool without a limit",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    activity(_CHAT, "idle", good=0, bad=150),
                    activity("GET /orders", "in_transaction", good=0, bad=150),
                    _MOST,
                ],
                *(good(10), bad(10)),
            ),
            silent("15m", "19m"),
            "two that keep a quarter each are not one that keeps a half",
        ),
    ),
)


def _at_rest(value: str) -> Page:
    return Page(
        _LABELS,
        "POST /chat/{id} leaves transactions of pool db.internal:5432/orders of shop "
        f"(10.0.0.7:8000) idle for {value}",
        "For 5 min, transactions of POST /chat/{id} in pool db.internal:5432/orders of shop "
        f"(10.0.0.7:8000) have rested between their statements for longer than 1 s, all rests of a "
        f"connection taken together: {value}. Their locks last as long, and vacuum waits for them.",
        f"{RUNBOOKS}#connectionpoolidleintransaction",
        f"{GRAFANA}/pool-observer-database?{HOLDER_URL}",
    )


def _sessions(state: str, **phases: float) -> Series:
    labels = {**CHAT, "state": state}
    return gauge("pool_observer_server_holder_sessions", labels=labels, **phases)


_OPEN_FOR = gauge(
    "pool_observer_server_holder_transaction_seconds", labels=CHAT, good=0.1, below=1, bad=4
)

IDLE_IN_TRANSACTION = Case(
    "ConnectionPoolIdleInTransaction",
    (
        *Trouble(
            (
                counter("pool_observer_checkouts_total", labels=CHAT, good=60),
                activity(_CHAT, "in_transaction", good=6, below=60, bad=150),
                activity(_CHAT, "executing", good=120),
            ),
            lasts=15,
            fires=6,
            pages=[_at_rest("2.5s")],
            fades=3,
            ends=4,
            below="exactly a second for each connection that is taken",
            reset=[_at_rest("2.5s")],
            merged=(
                counter("pool_observer_checkouts_total", labels=CHAT, good=240),
                activity(_CHAT, "in_transaction", good=24, bad=18 + 360),
            ),
            merged_pages=[_at_rest("1.575s")],
            merged_says="scraped as one, it is the average of them all",
        ).eight(),
        told_apart([_OPEN_FOR, _sessions("idle_in_transaction", good=1)], _at_rest("4s")),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    counter("pool_observer_checkouts_total", labels=CHAT, good=0),
                    activity(_CHAT, "in_transaction", good=0, bad=60),
                ],
                *(good(10), bad(20)),
            ),
            (*silent("9m"), paged("29m", _at_rest("5m 0s"))),
            "one that was taken long ago and rests ever since, for all of the window",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [_OPEN_FOR, _sessions("idle_in_transaction", good=1), _sessions("active", good=0)],
                *(good(10), bad(10)),
            ),
            (*silent("9m", "14m"), paged("15m", _at_rest("4s"))),
            "the server's account is enough",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_OPEN_FOR, _sessions("idle_in_transaction", good=1)], below(20)),
            silent("10m", "19m"),
            "by the server's account exactly a second",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_OPEN_FOR, _sessions("aborted", good=1)], good(10), bad(10)),
            (paged("15m", _at_rest("4s")),),
            "a transaction that failed rests as well",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [_OPEN_FOR, _sessions("idle_in_transaction", good=1), _sessions("active", good=1)],
                *(good(10), bad(10)),
            ),
            silent("15m", "19m"),
            "one rests and one executes, which may be the one that has lasted",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [_OPEN_FOR, _sessions("idle_in_transaction", good=0), _sessions("active", good=0)],
                *(good(10), bad(10)),
            ),
            silent("15m", "19m"),
            "a transaction that the server does not see at rest",
        ),
    ),
)


def _nested(value: str) -> Page:
    return Page(
        _LABELS,
        "POST /chat/{id} takes a second connection of pool db.internal:5432/orders of shop "
        "(10.0.0.7:8000) while it has one",
        "How often POST /chat/{id} asked pool db.internal:5432/orders of shop (10.0.0.7:8000) for "
        f"a connection while it held one, within the last 15 min: {value}. When all are held by "
        "such callers, they wait for each other.",
        f"{RUNBOOKS}#connectionpoolnestedcheckouts",
        f"{GRAFANA}/pool-observer-holders?{HOLDER_URL}",
    )


_SECOND = counter("pool_observer_nested_checkouts_total", labels=CHAT, good=0, bad=1)

NESTED = Case(
    "ConnectionPoolNestedCheckouts",
    (
        *Trouble(
            [_SECOND],
            first=[_nested("1")],
            pages=[_nested("10")],
            early="there is none, it fires at once",
            fades=14,
            below="there is nothing between none and one",
            reset=[_nested("13")],
            merged_says="scraped as one, they are added up",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [counter("pool_observer_nested_checkouts_total", born=3, labels=CHAT, good=0)],
                *(unseen(10), good(20)),
            ),
            (*silent("9m"), paged("10m", _nested("3")), paged("14m", _nested("3"))),
            "the first scrape that has the holder has some already",
        ),
    ),
)

CASES = (IDLE_CAPACITY, IDLE_IN_TRANSACTION, NESTED)
