"""The alert about the error budget: time-outs, over windows of hours and days."""

from __future__ import annotations

from tests.monitoring.promtool.eight import Trouble
from tests.monitoring.promtool.held import CULPRITS, HELD
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import ORDERS, Phase, bad, counter, good, told
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


def _steady(share: str, culprits: str = "") -> Page:
    return _burn("warning", "3d", "3 days", "0.1 %", share, culprits)


def _all(share: str, culprits: str) -> list[Page]:
    """Of what is no older than minutes, all windows see the same."""
    return [_fast(share, culprits), _slow(share, culprits), _steady(share, culprits)]


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

BURN = Case(
    "ConnectionPoolTimeoutBudgetBurn",
    (
        *Trouble(
            (*_BOTH, *HELD),
            lasts=15,
            first=[_slow("0.8%", CULPRITS), _steady("0.8%", CULPRITS)],
            pages=_all("4.4%", CULPRITS),
            early="there is none, but the longer window must be bad as well as the shorter",
            fades=360,
            below="one of a thousand is the budget",
            reset=_all("5.517%", CULPRITS),
            reset_after=5,
            four=[_slow("1.1%", _ALL_FOUR), _steady("1.1%", _ALL_FOUR)],
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
            (*silent("3h", "5h"), paged("5h5m", _fast("1.733%")), *silent("5h20m")),
            "half an hour of it wakes somebody, and is over for the alert when it is over",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, BUSY, good(90), Phase("tenth", 5 * HOUR)),
            (*silent("7h"), paged("10h", _slow("0.7528%"))),
            "one of a hundred for hours is slow, and not fast",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, good(HOUR), Phase("third", 3 * HOUR)),
            (*silent("1h"), paged("3h", _steady("0.2017%"))),
            "three of a thousand are steady, and nobody is woken",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, _BOTH, good(10), bad(15), good(7 * HOUR)),
            (
                paged("40m", _slow("3%"), _steady("3%")),
                paged("60m", _steady("2%")),
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
    ),
    every="5m",
)

CASES = (BURN,)
