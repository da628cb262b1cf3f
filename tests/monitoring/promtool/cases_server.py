"""Alerts about the database server's side."""

from __future__ import annotations

from collections.abc import Sequence

from tests.monitoring.promtool.eight import Trouble
from tests.monitoring.promtool.scenario import (
    Case,
    Kind,
    Moment,
    Page,
    Scenario,
    paged,
    silent,
)
from tests.monitoring.promtool.series import FOUR, GONE, ORDERS, Series, bad, gauge, good, told
from tests.monitoring.promtool.texts import (
    CHAT,
    GRAFANA,
    HOLDER_LABELS,
    HOLDER_URL,
    RUNBOOKS,
    SERVICE_LABELS,
    SERVICE_URL,
)


def _budget(share: str) -> Page:
    return Page(
        SERVICE_LABELS | {"severity": "warning"},
        "The pools db.internal:5432/orders of shop may open more connections than the database has "
        "for them",
        f"All processes of shop together may open {share} of the connections that the database of "
        "pool db.internal:5432/orders has for pools: max_connections, less what is kept for "
        "superusers, less 25 % for deployments, migrations and people. At full load it refuses.",
        f"{RUNBOOKS}#databaseconnectionbudget",
        f"{GRAFANA}/pool-observer-fleet?{SERVICE_URL}",
    )


_MOST = gauge("pool_observer_server_max_connections", good=100)
# Three quarters of a hundred, less three: there are 72 for pools.
_SERVER = (
    _MOST,
    gauge("pool_observer_server_reserved_connections", good=3),
    gauge("pool_observer_server_pooler", good=0),
)
_POOL = gauge("db_client_connection_max", good=9, below=72, bad=90)

BUDGET = Case(
    "DatabaseConnectionBudget",
    (
        *Trouble(
            (_POOL, *_SERVER),
            lasts=20,
            fires=15,
            pages=[_budget("125%")],
            below="exactly as many as there are",
            four=[_budget("162.5%")],
            merged_says="scraped as one, they are added up",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            [
                each
                for process in FOUR
                for each in told(
                    process, [gauge("db_client_connection_max", good=20), *_SERVER], good(20)
                )
            ],
            (*silent("14m"), paged("15m", _budget("111.1%"))),
            "four processes that are harmless alone",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_POOL, *_SERVER], good(5), bad(14), good(10)),
            silent("10m", "18m", "25m"),
            "a deployment, for which there are two of everything for a while",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [_POOL, *_SERVER[:2], gauge("pool_observer_server_pooler", good=1)],
                *(good(10), bad(20)),
            ),
            silent("25m", "29m"),
            "PgBouncer in between has a budget of its own",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_POOL, *_SERVER[:2]], good(1), bad(29))
            + told(FOUR[1], [gauge("pool_observer_server_pooler", good=1)], *(good(10), GONE)),
            silent("16m", "29m"),
            "a probe that has no answer does not forget the pooler",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    gauge("db_client_connection_max", good=5),
                    gauge("pool_observer_server_max_connections", good=4),
                    gauge("pool_observer_server_reserved_connections", good=3),
                ],
                good(20),
            ),
            (paged("15m", _budget("500%")),),
            "a server that leaves nothing for pools is taken to leave one",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    gauge("db_client_connection_max", good=5),
                    gauge("pool_observer_server_max_connections", good=3),
                    gauge("pool_observer_server_reserved_connections", good=3),
                ],
                good(20),
            ),
            (paged("15m", _budget("500%")),),
            "one that keeps all for superusers as well",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _SERVER, good(30)),
            silent("15m", "29m"),
            "pools without a limit",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_POOL], good(1), bad(29)),
            silent("16m", "29m"),
            "nobody asks the server what it takes",
        ),
    ),
)


def _sessions(owner: str, state: str, **phases: float) -> Series:
    labels = {"owner": owner, "state": state}
    return gauge("pool_observer_server_sessions", labels=labels, **phases)


def _nearly(share: str) -> Page:
    return Page(
        SERVICE_LABELS | {"severity": "critical"},
        f"The database of pool db.internal:5432/orders of shop has {share} of its connections in "
        "use",
        "For 2 min, more than 90 % of max_connections of the database of pool "
        "db.internal:5432/orders of shop have been in use, by whomever. When none is left it "
        "refuses: too many clients.",
        f"{RUNBOOKS}#databaseconnectionsnearlyexhausted",
        f"{GRAFANA}/pool-observer-database?{SERVICE_URL}",
    )


_USED = (
    _sessions("ours", "active", good=20, below=30, bad=35),
    _sessions("ours", "idle", good=10, below=30),
    _sessions("others", "idle", good=10, below=30, bad=50),
)


def _of_forty(used: int, moments: Sequence[Moment]) -> Scenario:
    """Forty processes ask, each while another share of as many sessions is active."""
    series = []
    for number in range(40):
        process = {**ORDERS, "instance": f"10.0.1.{number}:8000"}
        seen = (
            _sessions("ours", "active", good=number + 10),
            _sessions("ours", "idle", good=used - number - 15),
            _sessions("others", "idle", good=5),
            _MOST,
        )
        series += told(process, seen, good(10))
    says = f"forty that each see {used} of a hundred, at other moments"
    return Scenario(Kind.BESIDE, series, tuple(moments), says)


NEARLY_EXHAUSTED = Case(
    "DatabaseConnectionsNearlyExhausted",
    (
        *Trouble(
            (*_USED, _MOST),
            fires=2,
            pages=[_nearly("95%")],
            below="exactly nine of ten",
            merged_says="scraped as one, the worker counts that saw most",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            [
                each
                for process in FOUR
                for each in told(process, [_sessions("ours", "idle", good=40), _MOST], good(10))
            ],
            silent("5m", "9m"),
            "four that see the same forty sessions do not see 160",
        ),
        _of_forty(70, silent("5m", "9m")),
        _of_forty(95, (*silent("1m"), paged("2m", _nearly("95%")), paged("9m", _nearly("95%")))),
    ),
)

NOT_ANSWERING = Case(
    "DatabaseNotAnswering",
    (
        *Trouble(
            [gauge("pool_observer_server_up", good=1, bad=0)],
            fires=1,
            pages=[
                Page(
                    SERVICE_LABELS | {"severity": "critical"},
                    "The database of pool db.internal:5432/orders of shop does not answer",
                    "For 1 min, the database of pool db.internal:5432/orders of shop has not "
                    "answered the probe of at least one process. The log of the service has its "
                    "refusal.",
                    f"{RUNBOOKS}#databasenotanswering",
                    f"{GRAFANA}/pool-observer-database?{SERVICE_URL}",
                )
            ],
            below="it answers, and there is nothing in between",
            merged_says="scraped as one, that one has no answer is told",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [gauge("db_client_connection_max", good=15)], good(10)),
            silent("5m", "9m"),
            "nobody asks it",
        ),
    ),
)

LOCK_HELD = Case(
    "DatabaseLockHeld",
    Trouble(
        [gauge("pool_observer_server_holder_blocks", labels=CHAT, good=0, bad=2)],
        fires=1,
        pages=[
            Page(
                HOLDER_LABELS | {"severity": "warning"},
                "POST /chat/{id} has a lock that others wait for, in the database of pool "
                "db.internal:5432/orders of shop (10.0.0.7:8000)",
                "For 1 min, sessions of the database of pool db.internal:5432/orders of shop "
                "(10.0.0.7:8000) have waited for a lock of POST /chat/{id}: 2 now. It lasts until "
                "its transaction ends.",
                f"{RUNBOOKS}#databaselockheld",
                f"{GRAFANA}/pool-observer-database?{HOLDER_URL}",
            )
        ],
        below="there is nothing between none and one",
        merged_says="scraped as one, they are added up",
    ).eight(),
)

CASES = (BUDGET, NEARLY_EXHAUSTED, NOT_ANSWERING, LOCK_HELD)
