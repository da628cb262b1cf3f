"""Alerts about connections that do not come back."""

from __future__ import annotations

from tests.monitoring.promtool.cases_simulated import LEAKS, leak
from tests.monitoring.promtool.eight import Trouble
from tests.monitoring.promtool.held import activity, returned, taken
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import (
    ORDERS,
    Labels,
    Phase,
    Series,
    bad,
    counter,
    gauge,
    good,
    told,
)
from tests.monitoring.promtool.texts import (
    CHAT,
    GRAFANA,
    PROCESS_URL,
    RUNBOOKS,
)

_CHAT = "POST /chat/{id}"


def _over(**phases: float) -> Series:
    """Seconds of holds that ended, of each minute."""
    return counter("db_client_connection_use_time_seconds_sum", labels=CHAT, **phases)


def minute(number: int) -> Phase:
    return Phase(f"minute {number}")


_OLD = (
    gauge("pool_observer_oldest_hold_seconds", good=2, below=900, bad=900),
    gauge("pool_observer_overdue_connections", labels=CHAT, good=0, below=1, bad=1),
)
# Two connections are in use all the time; each one that is lost is held for sixty seconds a minute.
_TAKEN = (
    activity(_CHAT, "executing", good=60),
    activity(_CHAT, "in_transaction", good=30),
    activity(_CHAT, "idle", good=30, below=60, bad=90),
    _over(good=120),
)
_HELD = (*_TAKEN, *_OLD)

_RAMP = {f"minute {each}": 20.0 * each for each in range(1, 41)}
_ALL_BUT_ONE = {name: taken - 1 for name, taken in _RAMP.items()}

LEAK = Case(
    "ConnectionPoolLeak",
    (
        *Trouble(
            _HELD,
            lasts=20,
            fires=7,
            first=[leak("0.533")],
            pages=[leak("1")],
            early="there is none, but half of the window is needed",
            below="a half, which is not more than a half",
            reset=[leak("0.933")],
            merged=(
                activity(_CHAT, "executing", good=240),
                activity(_CHAT, "in_transaction", good=120),
                activity(_CHAT, "idle", good=120, bad=180),
                _over(good=480),
                *_OLD,
            ),
            merged_says="scraped as one, what one has lost is not diluted by the others",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [*_TAKEN, gauge("pool_observer_oldest_hold_seconds", good=450), *_OLD[1:]],
                *(good(10), bad(20)),
            ),
            silent("17m", "25m", "29m"),
            "none is older than the half of the window that makes a half",
        ),
        *LEAKS,
    ),
)


def _behind(value: str) -> Page:
    return Page(
        ORDERS | {"severity": "info"},
        "Pool db.internal:5432/orders of shop (10.0.0.7:8000) gets back fewer connections than it "
        "hands out",
        "For 5 min, pool db.internal:5432/orders of shop (10.0.0.7:8000) has handed out more "
        f"connections than it got back, by {value} a second: load that grows, holds that get "
        "longer, or an error path that returns none.",
        f"{RUNBOOKS}#connectionpoolreturnsbehind",
        f"{GRAFANA}/pool-observer-pool?{PROCESS_URL}",
    )


def _holder(number: int) -> Labels:
    return {"holder": f"job:{number}"}


_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)

RETURNS_BEHIND = Case(
    "ConnectionPoolReturnsBehind",
    (
        *Trouble(
            (
                taken(CHAT, good=60),
                returned("checkin", CHAT, good=59, bad=56),
                returned("detached", CHAT, good=1),
            ),
            pages=[_behind("0.05")],
            fires=5,
            fades=4,
            below="as many come back as are taken, in whichever way",
            reset=[_behind("0.04")],
            merged=(
                taken(CHAT, good=240),
                returned("checkin", CHAT, good=239, bad=236),
                returned("detached", CHAT, good=1),
            ),
            merged_says="scraped as one, what one lacks all lack",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [taken(CHAT, good=60, bad=61), returned("checkin", CHAT, good=60)],
                *(good(10), bad(1), good(20)),
            ),
            silent("12m", "14m", "15m", "20m"),
            "a single connection that is lost is not seen: the leak alert is for that",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [taken(CHAT, good=60, **_RAMP), returned("checkin", CHAT, good=60, **_ALL_BUT_ONE)],
                *(minute(each) for each in range(1, 20)),
            ),
            (paged("15m", _behind("0.0167")),),
            "load that grows is seen as well, and the text says so",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [taken(_holder(each), good=each) for each in _PRIMES]
                + [returned("checkin", _holder(each), good=each) for each in reversed(_PRIMES)]
                + [returned("lost", _holder(each), good=0) for each in _PRIMES],
                good(30),
            ),
            silent("9m", "12m", "19m", "29m"),
            "many holders add up to the same in any order",
        ),
    ),
)

CASES = (LEAK, RETURNS_BEHIND)
