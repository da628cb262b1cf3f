"""Rules as users have them written: other labels, a selector, a server that nobody asks."""

from __future__ import annotations

from dataclasses import replace

from pool_observer.monitoring.settings import Settings
from pool_observer.thresholds import Thresholds
from tests.monitoring.promtool.cases_burn import steady
from tests.monitoring.promtool.eight import ABSENT_ALERT, INFO
from tests.monitoring.promtool.held import CULPRITS, HELD
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    FOUR,
    GONE,
    ORDERS,
    POOL,
    bad,
    counter,
    gauge,
    good,
    told,
)
from tests.monitoring.promtool.texts import CHAT, GRAFANA, RUNBOOKS, SERVICE_LABELS, SERVICE_URL

TOLD = Settings(max_connections=100)
"""The server takes a hundred, as the user says."""

_BUDGET = Page(
    SERVICE_LABELS | {"severity": "warning"},
    "The pools db.internal:5432/orders of shop may open more connections than the database has "
    "for them",
    "All processes of shop together may open 120% of the connections that the database of pool "
    "db.internal:5432/orders has for pools: max_connections, less what is kept for superusers, "
    "less 25 % for deployments, migrations and people. At full load it refuses.",
    f"{RUNBOOKS}#databaseconnectionbudget",
    f"{GRAFANA}/pool-observer-fleet?{SERVICE_URL}",
)
_NEARLY = Page(
    SERVICE_LABELS | {"severity": "critical"},
    "The database of pool db.internal:5432/orders of shop has 95% of its connections in use",
    "For 2 min, more than 90 % of max_connections of the database of pool db.internal:5432/orders "
    "of shop have been in use, by whomever. When none is left it refuses: too many clients.",
    f"{RUNBOOKS}#databaseconnectionsnearlyexhausted",
    f"{GRAFANA}/pool-observer-database?{SERVICE_URL}",
)
_POOL = gauge("db_client_connection_max", good=18.75, bad=22.5)
_OURS = {"owner": "ours", "state": "active"}
_SESSIONS = gauge("pool_observer_server_sessions", labels=_OURS, good=90, bad=95)

TOLD_BUDGET = Case(
    "DatabaseConnectionBudget",
    (
        Scenario(
            Kind.FIRES,
            [each for process in FOUR for each in told(process, [_POOL], good(10), bad(20))],
            (*silent("9m", "24m"), paged("25m", _BUDGET)),
            "no probe is needed",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    gauge("db_client_connection_max", good=90),
                    gauge("pool_observer_server_pooler", good=1),
                ],
                good(30),
            ),
            silent("15m", "29m"),
            "PgBouncer in between has a budget of its own",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    gauge("db_client_connection_max", good=90),
                    gauge("pool_observer_server_up", good=1, bad=0),
                ],
                *(good(10), bad(30)),
            )
            + told(ORDERS, [gauge("pool_observer_server_pooler", good=1)], good(10), GONE),
            silent("9m", "15m", "39m"),
            "nor is it forgotten while nothing answers the probe",
        ),
    ),
)
TOLD_USED = Case(
    "DatabaseConnectionsNearlyExhausted",
    (
        Scenario(
            Kind.FIRES,
            told(ORDERS, [_SESSIONS], good(10), bad(10)),
            (*silent("9m", "11m"), paged("12m", _NEARLY)),
        ),
    ),
)

NAMED = Settings(
    selector='namespace="shop"',
    job_label="service",
    instance_label="pod",
    keep=("cluster",),
    datasource="prometheus-main",
    grafana_url="https://grafana.example.com/",
    runbook_url="https://wiki.example.com/pools",
)
"""As where an operator for Kubernetes names the labels."""

_POD = {"cluster": "eu", "namespace": "shop", "service": "orders", "pod": "orders-1"}
_PROCESS = {**_POD, POOL: "db.internal:5432/orders"}
_FULL = gauge("pool_observer_utilization_ratio", good=0.5, bad=1)
_NAMED_FULL = Page(
    {
        "cluster": "eu",
        "service": "orders",
        "pod": "orders-1",
        POOL: "db.internal:5432/orders",
        "severity": "critical",
    },
    "Pool db.internal:5432/orders of orders (orders-1) is full",
    "All connections that pool db.internal:5432/orders of orders (orders-1) may open are out (of "
    "several workers, in the worst): whoever asks next queues, and fails after pool_timeout."
    + CULPRITS,
    "https://wiki.example.com/pools#connectionpoolexhausted",
    "https://grafana.example.com/d/pool-observer-pool?var-datasource=prometheus-main"
    "&var-cluster=eu&var-job=orders&var-instance=orders-1&var-pool=db.internal%3A5432%2Forders",
)
_NAMED_GONE = Page(
    {
        "cluster": "eu",
        "service": "orders",
        POOL: "db.internal:5432/orders",
        "severity": "warning",
    },
    "No metrics of pool db.internal:5432/orders of orders",
    "For 5 min, no process has had metrics of pool db.internal:5432/orders of orders: the service "
    "is down, is not scraped, or does not call observe(). Until it has some, no other alert can "
    "tell of it.",
    "https://wiki.example.com/pools#connectionpoolmetricsabsent",
    "https://grafana.example.com/d/pool-observer-fleet?var-datasource=prometheus-main"
    "&var-cluster=eu&var-job=orders&var-pool=db.internal%3A5432%2Forders",
)
_NAMED_NEVER = replace(
    _NAMED_GONE,
    labels={"namespace": "shop", "severity": "warning"},
    summary="No metrics of any pool",
    description=(
        "For 5 min, no process has had metrics of any pool: the service is down, is not scraped, "
        "or does not call observe(). Until it has some, no other alert can tell of it."
    ),
    dashboard_url=(
        "https://grafana.example.com/d/pool-observer-fleet?var-datasource=prometheus-main"
        "&var-cluster=&var-job=&var-pool="
    ),
)

NAMED_EXHAUSTED = Case(
    "ConnectionPoolExhausted",
    (
        Scenario(
            Kind.FIRES,
            told(_PROCESS, [_FULL, *HELD], good(10), bad(5))
            + told({**_PROCESS, "cluster": "us"}, [_FULL, *HELD], good(15))
            + told({**_PROCESS, "namespace": "test"}, [_FULL, *HELD], good(10), bad(5)),
            (*silent("9m"), paged("10m", _NAMED_FULL)),
            "the one cluster, and not another or another namespace",
        ),
    ),
)
NAMED_ABSENT = Case(
    ABSENT_ALERT,
    (
        Scenario(
            Kind.FIRES,
            told(_PROCESS, [INFO], good(10), GONE)
            + told({**_PROCESS, "cluster": "us"}, [INFO], good(20))
            + told({**_PROCESS, "namespace": "test"}, [INFO], good(20)),
            (*silent("14m"), paged("15m", _NAMED_GONE)),
            "the same pool in another cluster or namespace is another",
        ),
        Scenario(
            Kind.BESIDE,
            told({**_PROCESS, "namespace": "test"}, [INFO], good(20)),
            (*silent("4m"), paged("5m", _NAMED_NEVER)),
            "there has never been any in the namespace",
        ),
    ),
)

_STRICT = Settings(selector='namespace="shop"', name="shop_pools")
_LENIENT = Settings(Thresholds(error_ratio=0.1), selector='namespace="test"', name="test_pools")
TWO = (_STRICT, _LENIENT)
"""Two sets of rules for one Prometheus: where one is strict, the other is not."""


def _failing(namespace: str, failing: int) -> list[dict[str, str]]:
    """So many of a thousand get no connection. Only the namespace tells the processes apart."""
    series = (
        counter("db_client_connection_wait_time_seconds_count", labels=CHAT, good=1000),
        counter("db_client_connection_timeouts_total", labels=CHAT, good=failing),
    )
    return told({**ORDERS, "namespace": namespace}, series, good(60))


TWO_BURN = Case(
    "ConnectionPoolTimeoutBudgetBurn",
    (
        Scenario(
            Kind.FIRES,
            _failing("shop", 5) + _failing("test", 90),
            (paged("50m", steady("0.5%")),),
            "five of a thousand are more than one, and ninety are not more than a hundred",
        ),
    ),
    every="5m",
)

CASES = {
    "told what the server takes": (TOLD, (TOLD_BUDGET, TOLD_USED)),
    "other labels": (NAMED, (NAMED_EXHAUSTED, NAMED_ABSENT)),
}
