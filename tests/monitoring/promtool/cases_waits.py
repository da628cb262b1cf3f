"""Alerts about callers that wait for a connection."""

from __future__ import annotations

from tests.monitoring.promtool.eight import Trouble, told_apart
from tests.monitoring.promtool.held import CULPRITS, HELD
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    ORDERS,
    RESTART,
    Phase,
    Series,
    bad,
    counter,
    gauge,
    good,
    told,
)
from tests.monitoring.promtool.texts import CHAT, GRAFANA, PROCESS_URL, RUNBOOKS

_URL = f"{GRAFANA}/pool-observer-pool?{PROCESS_URL}"


def _waits(bound: str, **phases: float) -> Series:
    """Waits of each minute that are not longer than the bound."""
    labels = {**CHAT, "le": bound}
    return counter("db_client_connection_wait_time_seconds_bucket", labels=labels, **phases)


def _all_waits(**phases: float) -> Series:
    return counter("db_client_connection_wait_time_seconds_count", labels=CHAT, **phases)


def _slow(value: str, culprits: str = "") -> Page:
    return Page(
        ORDERS | {"severity": "warning"},
        f"Connections of pool db.internal:5432/orders of shop (10.0.0.7:8000) take {value} to get",
        "For 2 min, callers of pool db.internal:5432/orders of shop (10.0.0.7:8000) have waited "
        "longer than 500 ms for a connection: the 95 % quantile, or where nobody gets one any "
        f"more, the caller that waits longest, is at {value}.{culprits}",
        f"{RUNBOOKS}#connectionpoolacquireslow",
        _URL,
    )


# By the hundred a second, so that rates are exact.
_BUCKETS = (
    _waits("0.25", good=6000, below=5400, bad=2400, stuck=0),
    _waits("0.5", good=6000, below=5700, bad=3600, stuck=0),
    _waits("1", good=6000, below=6000, bad=5400, stuck=0),
    _waits("2", good=6000, below=6000, bad=6000, stuck=0),
    _waits("+Inf", good=6000, below=6000, bad=6000, stuck=0),
)
_OLDEST = counter("pool_observer_oldest_wait_seconds", good=0, stuck=60)


_WAITS_STILL = gauge("pool_observer_oldest_wait_seconds", good=0.5, bad=0.525)


def stuck(minutes: int) -> Phase:
    """Nobody gets a connection any more."""
    return Phase("stuck", minutes)


ACQUIRE_SLOW = Case(
    "ConnectionPoolAcquireSlow",
    (
        *Trouble(
            (*_BUCKETS, gauge("pool_observer_oldest_wait_seconds", good=0, bad=1.8), *HELD),
            first=[_slow("1.167s", CULPRITS)],
            pages=[_slow("1.5s", CULPRITS)],
            fires=2,
            fades=4,
            below="the quantile is half a second",
            reset=[_slow("1.5s", CULPRITS)],
            reset_says="a restart that mends nothing hides nothing, for the rates go on",
            merged=(
                _waits("0.25", good=400, bad=340),
                _waits("0.5", good=400, bad=340),
                _waits("1", good=400, bad=340),
                _waits("2", good=400, bad=400),
                _waits("+Inf", good=400, bad=400),
                *HELD,
            ),
            merged_pages=[_slow("1.667s", CULPRITS)],
            merged_says="scraped as one, more than a twentieth of all waits is slow",
        ).eight(),
        told_apart([_WAITS_STILL], _slow("525ms")),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [*_BUCKETS, _OLDEST], good(10), stuck(10)),
            (*silent("9m", "11m"), paged("12m", _slow("3m 0s")), paged("19m", _slow("10m 0s"))),
            "nothing completes, the quantile is NaN, the oldest wait tells",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [*_BUCKETS, _OLDEST], good(10), bad(3), stuck(7)),
            (
                paged("12m", _slow("1.167s")),
                paged("16m", _slow("1.5s")),
                paged("17m", _slow("5m 0s")),
                paged("19m", _slow("7m 0s")),
            ),
            "slow first and stuck then, which is one alert that goes on",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_WAITS_STILL], good(10), bad(5)),
            (*silent("5m", "11m"), paged("12m", _slow("525ms"))),
            "the oldest wait is at the limit, and then above",
        ),
    ),
)


def _queue_wait(value: str, culprits: str) -> Page:
    return Page(
        ORDERS | {"severity": "critical"},
        f"Somebody has waited {value} for a connection of pool db.internal:5432/orders of shop "
        "(10.0.0.7:8000)",
        "No request should wait longer than 2 s. Pool db.internal:5432/orders of shop "
        f"(10.0.0.7:8000) has kept a caller waiting for {value} by now.{culprits}",
        f"{RUNBOOKS}#connectionpoolqueuewait",
        _URL,
    )


_LONGEST = gauge("pool_observer_oldest_wait_seconds", good=0, below=2, bad=2.75)

QUEUE_WAIT = Case(
    "ConnectionPoolQueueWait",
    (
        *Trouble(
            (_LONGEST, *HELD),
            pages=[_queue_wait("2.75s", CULPRITS)],
            early="there is none, it fires at once",
            below="exactly two seconds",
            merged_says="scraped as one, the longest wait of all is told",
        ).eight(),
        told_apart([_LONGEST], _queue_wait("2.75s", "")),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_LONGEST], good(10), bad(2)),
            (paged("10m", _queue_wait("2.75s", "")),),
            "nothing is said of culprits where none are known",
        ),
    ),
)


def _long_waits(value: str, culprits: str = "") -> Page:
    return Page(
        ORDERS | {"severity": "warning"},
        "Callers of pool db.internal:5432/orders of shop (10.0.0.7:8000) waited longer than 2 s: "
        + value,
        "Within the last 5 min, callers of pool db.internal:5432/orders of shop (10.0.0.7:8000) "
        "waited longer than 2 s for a connection, those who gave up included: "
        f"{value}.{culprits}",
        f"{RUNBOOKS}#connectionpoollongwaits",
        _URL,
    )


_LONG = (_all_waits(good=60), _waits("2.0", good=60, bad=57), _waits("5.0", good=60))

LONG_WAITS = Case(
    "ConnectionPoolLongWaits",
    (
        *Trouble(
            (*_LONG, *HELD),
            first=[_long_waits("3", CULPRITS)],
            pages=[_long_waits("15", CULPRITS)],
            early="there is none, it fires at once",
            fades=4,
            below="nobody waits longer than two seconds, which the bucket contains",
            reset=[_long_waits("12", CULPRITS)],
            merged=(
                _all_waits(good=240),
                _waits("2.0", good=240, bad=237),
                _waits("5.0", good=240),
                *HELD,
            ),
            merged_says="scraped as one, the long waits of one are among all",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [_all_waits(good=60), _waits("2", good=60, bad=57)], good(10), bad(10)),
            (*silent("9m"), paged("19m", _long_waits("15"))),
            "`2` is the bucket that others write `2.0`",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    counter(
                        "db_client_connection_wait_time_seconds_count", labels=CHAT, good=0, bad=1
                    ),
                    _waits("2.0", good=0),
                    _waits("20.0", good=0, bad=1),
                ],
                *(good(10), bad(1), good(10)),
            ),
            (*silent("9m"), paged("10m", _long_waits("1")), paged("13m", _long_waits("1"))),
            "a single caller is not made to more or less than one",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _LONG, good(10), bad(2), RESTART, good(5)),
            (paged("11m", _long_waits("6")), paged("12m", _long_waits("6"))),
            "a restart does not take back what was seen",
        ),
    ),
)

CASES = (ACQUIRE_SLOW, QUEUE_WAIT, LONG_WAITS)
