"""Alerts about pool_observer itself: whether the other alerts can be trusted."""

from __future__ import annotations

from tests.monitoring.promtool.eight import ABSENT_ALERT, GONE_PAGE, INFO, Trouble
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    BILLING,
    FOUR,
    GONE,
    ORDERS,
    RESTART,
    counter,
    good,
    told,
    unseen,
)
from tests.monitoring.promtool.texts import GRAFANA, PROCESS_URL, RUNBOOKS

_NEVER = Page(
    {"severity": "warning"},
    "No metrics of any pool",
    "For 5 min, no process has had metrics of any pool: the service is down, is not scraped, or "
    "does not call observe(). Until it has some, no other alert can tell of it.",
    f"{RUNBOOKS}#connectionpoolmetricsabsent",
    f"{GRAFANA}/pool-observer-fleet?var-job=&var-pool=",
)

_ONE_GONE = told(ORDERS, [INFO], good(10), GONE)
_UP = {"series": 'up{job="shop", instance="10.0.0.7:8000"}', "values": "0x90"}

ABSENT = Case(
    ABSENT_ALERT,
    (
        Scenario(Kind.FIRES, _ONE_GONE, (*silent("9m"), paged("15m", GONE_PAGE))),
        Scenario(
            Kind.BELOW,
            told(ORDERS, [INFO], good(10), GONE, unseen(3), good(20)),
            silent("9m", "13m", "16m", "25m"),
            "a gap of four minutes",
        ),
        Scenario(Kind.EARLY, _ONE_GONE, silent("14m")),
        Scenario(
            Kind.RECOVERS,
            told(ORDERS, [INFO], good(10), GONE, unseen(9), good(20)),
            (paged("19m", GONE_PAGE), *silent("20m", "30m")),
        ),
        Scenario(
            Kind.RESET,
            told(ORDERS, [INFO], good(10), RESTART, good(10)),
            silent("10m", "12m", "19m"),
            "there are no counters: a restart that is over between two scrapes is nothing",
        ),
        Scenario(
            Kind.RESET,
            _ONE_GONE + told({**ORDERS, "instance": "10.0.0.8:8000"}, [INFO], unseen(12), good(20)),
            silent("11m", "15m", "25m"),
            "a process that comes back as another is none that is gone",
        ),
        Scenario(
            Kind.ONE_OF_FOUR,
            told(FOUR[0], [INFO], good(10), GONE)
            + [each for other in FOUR[1:] for each in told(other, [INFO], good(30))],
            silent("15m", "29m"),
            "the pool is not gone while three processes have it",
        ),
        Scenario(
            Kind.ONE_OF_FOUR,
            [each for process in FOUR for each in told(process, [INFO], good(10), GONE)],
            (*silent("14m"), paged("15m", GONE_PAGE)),
            "all four are gone, which is one alert",
        ),
        Scenario(
            Kind.TWO_POOLS,
            _ONE_GONE + told(BILLING, [INFO], good(30)),
            (*silent("9m"), paged("15m", GONE_PAGE), paged("29m", GONE_PAGE)),
            "only the one that is gone",
        ),
        Scenario(
            Kind.STALE,
            [*_ONE_GONE, _UP],
            (paged("15m", GONE_PAGE), paged("68m", GONE_PAGE)),
            "the target is there, and no metrics of ours",
        ),
        Scenario(
            Kind.BESIDE,
            _ONE_GONE + told(BILLING, [INFO], good(90)),
            (paged("69m", GONE_PAGE), *silent("70m", "80m")),
            "after an hour a pool is taken to be gone for good",
        ),
        Scenario(
            Kind.BESIDE,
            [_UP],
            (*silent("4m"), paged("5m", _NEVER), paged("80m", _NEVER)),
            "there has never been any",
        ),
    ),
)


def _failed(value: str) -> Page:
    return Page(
        ORDERS | {"severity": "info"},
        "pool_observer has failed in shop (10.0.0.7:8000)",
        "Failures of pool_observer in shop (10.0.0.7:8000), pool db.internal:5432/orders, within "
        f"the last 15 min: {value}. None reached the application, but figures may be wrong. The "
        "first at each place is in the log.",
        f"{RUNBOOKS}#poolobserverinternalerrors",
        f"{GRAFANA}/pool-observer-fleet?{PROCESS_URL}",
    )


INTERNAL_ERRORS = Case(
    "PoolObserverInternalErrors",
    (
        *Trouble(
            [counter("pool_observer_internal_errors_total", good=0, bad=1)],
            first=[_failed("1")],
            pages=[_failed("10")],
            early="there is none, it fires at once",
            fades=14,
            below="there is nothing between none and one",
            reset=[_failed("13")],
            merged_says="scraped as one, they are added up",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [counter("pool_observer_internal_errors_total", born=2, good=0)],
                *(unseen(10), good(20)),
            ),
            (*silent("9m"), paged("10m", _failed("2")), paged("14m", _failed("2"))),
            "observe() failed before the first scrape",
        ),
    ),
)


def _dropped(value: str) -> Page:
    return Page(
        ORDERS | {"severity": "info"},
        "pool_observer has dropped events in shop (10.0.0.7:8000)",
        "Waits and holds of pool db.internal:5432/orders of shop (10.0.0.7:8000) that "
        f"pool_observer had no room for, within the last 15 min: {value}. Figures are too low.",
        f"{RUNBOOKS}#poolobserverdroppedevents",
        f"{GRAFANA}/pool-observer-fleet?{PROCESS_URL}",
    )


DROPPED_EVENTS = Case(
    "PoolObserverDroppedEvents",
    Trouble(
        [counter("pool_observer_dropped_events_total", good=0, bad=250)],
        first=[_dropped("250")],
        pages=[_dropped("2.5k")],
        early="there is none, it fires at once",
        fades=14,
        below="there is nothing between none and one",
        reset=[_dropped("3.25k")],
        merged_says="scraped as one, they are added up",
    ).eight(),
)

CASES = (ABSENT, INTERNAL_ERRORS, DROPPED_EVENTS)
