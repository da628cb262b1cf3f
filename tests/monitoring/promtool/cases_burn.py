"""The alert about the error budget: time-outs, over windows of hours and days."""

from __future__ import annotations

from tests.monitoring.promtool.eight import Trouble
from tests.monitoring.promtool.held import CULPRITS, HELD
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    GONE,
    ORDERS,
    RESTART,
    Phase,
    bad,
    counter,
    good,
    told,
    unseen,
)
from tests.monitoring.promtool.texts import CHAT, GRAFANA, RUNBOOKS, SERVICE_LABELS, SERVICE_URL

HOUR = 60
BUSY = Phase("busy", 4 * HOUR)
"""As many callers as otherwise in days, and none of them fails."""


def _burn(severity: str, window: str, over: str, bar: str, share: str, culprits: str) -> Page:
    return Page(
        SERVICE_LABELS | {"severity": severity, "window": window},
        f"Pool db.internal:5432/orders of shop fails {share} of its callers",
        f"Over {over}, {share} of the callers of pool db.internal:5432/orders of shop got no "
        f"connection within pool_timeout: more than {bar}, while the budget is 0.1 %.{culprits}",
        f"{RUNBOOKS}#connectionpooltimeoutbudgetburn",
        f"{GRAFANA}/pool-observer-pool?{SERVICE_URL}",
    )


def _fast(share: str, culprits: str = "") -> Page:
    return _burn("critical", "1h", "1 h", "1.44 %", share, culprits)


def _slow(share: str, culprits: str = "") -> Page:
    return _burn("critical", "6h", "6 h", "0.6 %", share, culprits)


def steady(share: str, culprits: str = "") -> Page:
    return _burn("warning", "3d", "3 days", "0.1 %", share, culprits)


def _all(share: str, culprits: str) -> list[Page]:
    """Of what is no older than minutes, all windows see the same."""
    return [_fast(share, culprits), _slow(share, culprits), steady(share, culprits)]


def _long_ones(share: str) -> list[Page]:
    return [_slow(share), steady(share)]


_ALL_FOUR = " Held, on average: 48.0 x POST /chat/{id}, 12.0 x GET /orders."
_WAITS = counter("db_client_connection_wait_time_seconds_count", labels=CHAT, good=1000, busy=20000)
_TIMEOUTS = counter(
    "db_client_connection_timeouts_total",
    labels=CHAT,
    good=0,
    below=1,
    third=3,
    tenth=10,
    quarter=40,
    bad=80,
)
_BOTH = (_WAITS, _TIMEOUTS)


def _steadily(failing: int, *pages: Page) -> Scenario:
    """So many of ten thousand get no connection, all the time."""
    series = (
        counter("db_client_connection_wait_time_seconds_count", labels=CHAT, good=10_000),
        counter("db_client_connection_timeouts_total", labels=CHAT, good=failing),
    )
    says = f"{failing} of ten thousand all the time"
    return Scenario(Kind.BESIDE, told(ORDERS, series, good(HOUR)), (paged("50m", *pages),), says)


_BOUNDARIES: dict[int, list[Page]] = {
    9: [],
    11: [steady("0.11%")],
    59: [steady("0.59%")],
    61: _long_ones("0.61%"),
    143: _long_ones("1.43%"),
    145: _all("1.45%", ""),
}
"""On both sides of each window's limit."""

BURN = Case(
    "ConnectionPoolTimeoutBudgetBurn",
    (
        *Trouble(
            (*_BOTH, *HELD),
            lasts=15,
            first=[_slow("0.8%", CULPRITS), steady("0.8%", CULPRITS)],
            pages=_all("4.4%", CULPRITS),
            early="there is none, but the longer window must be bad as well as the shorter",
            fades=360,
            # The last rate that was recorded is of five minutes ago.
            ends=365,
            below="one of a thousand is the budget",
            reset=_all("5.517%", CULPRITS),
            reset_after=5,
            four=[_slow("1.1%", _ALL_FOUR), steady("1.1%", _ALL_FOUR)],
            merged=(
                counter("db_client_connection_wait_time_seconds_count", labels=CHAT, good=4000),
                counter("db_client_connection_timeouts_total", labels=CHAT, good=0, bad=320),
                *HELD,
            ),
            merged_says="scraped as one, it is the share of all their callers",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, BUSY, good(40), Phase("quarter", 30), good(HOUR)),
            (*silent("3h", "5h"), paged("5h5m", _fast("1.6%")), *silent("5h20m")),
            "half an hour of it wakes somebody, and is over for the alert when it is over",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, BUSY, good(90), Phase("tenth", 5 * HOUR)),
            (*silent("7h"), paged("10h", _slow("0.6145%"))),
            "one of a hundred for hours is slow, and not fast",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, good(HOUR), Phase("third", 3 * HOUR)),
            (*silent("1h"), paged("3h", steady("0.2017%"))),
            "three of a thousand are steady, and nobody is woken",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, good(10), bad(15), good(7 * HOUR)),
            (
                paged("40m", _slow("3%"), steady("3%")),
                paged("60m", steady("2%")),
                *silent("6h25m", "7h"),
            ),
            "the windows end one after the other: the short one of each says that it is over",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    counter("db_client_connection_wait_time_seconds_count", labels=CHAT, good=0),
                    counter("db_client_connection_timeouts_total", labels=CHAT, good=0),
                ],
                good(HOUR),
            ),
            silent("50m"),
            "nobody asks, which is no share of anything",
        ),
        *(_steadily(failing, *pages) for failing, pages in _BOUNDARIES.items()),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, good(HOUR), GONE, unseen(19), RESTART, good(HOUR)),
            silent("1h", "1h15m", "1h20m", "1h25m", "2h20m"),
            "a restart that takes twenty minutes is no time-out",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, bad(HOUR), GONE, unseen(19), RESTART, bad(HOUR)),
            (
                paged("55m", *_all("8%", "")),
                paged("1h20m", *_long_ones("8%")),
                paged("1h30m", *_all("8%", "")),
            ),
            "one that mends nothing is only seen by those that look back further than it took",
        ),
    ),
    every="5m",
)

CASES = (BURN,)
