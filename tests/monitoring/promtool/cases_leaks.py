"""Alerts about connections that do not come back."""

from __future__ import annotations

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
    good,
    told,
)
from tests.monitoring.promtool.texts import (
    CHAT,
    GRAFANA,
    HOLDER_LABELS,
    HOLDER_URL,
    PROCESS_URL,
    RUNBOOKS,
)

_CHAT = "POST /chat/{id}"


def _leak(value: str) -> Page:
    return Page(
        HOLDER_LABELS | {"severity": "warning"},
        "POST /chat/{id} leaks connections of pool db.internal:5432/orders of shop (10.0.0.7:8000)",
        "POST /chat/{id} has taken connections of pool db.internal:5432/orders of shop "
        f"(10.0.0.7:8000) and not given them back: {value} on average over 15 min. Each is lost to "
        "the pool until the process ends.",
        f"{RUNBOOKS}#connectionpoolleak",
        f"{GRAFANA}/pool-observer-holders?{HOLDER_URL}",
    )


def _over(**phases: float) -> Series:
    """Seconds of holds that ended, of each minute."""
    return counter("db_client_connection_use_time_seconds_sum", labels=CHAT, **phases)


def minute(number: int) -> Phase:
    return Phase(f"minute {number}")


# Two connections are in use all the time; each one that is lost is held for sixty seconds a minute.
_HELD = (
    activity(_CHAT, "executing", good=60),
    activity(_CHAT, "in_transaction", good=30),
    activity(_CHAT, "idle", good=30, below=60, bad=90),
    _over(good=120),
)
_LOST_EACH_TEN_MINUTES = {f"minute {each}": 30.0 + 60 * (each // 10) for each in range(40)}
_RAMP = {f"minute {each}": 20.0 * each for each in range(1, 41)}

_NEARLY_ALL = {name: 0.98 * held for name, held in _RAMP.items()}
_ALL_BUT_ONE = {name: taken - 1 for name, taken in _RAMP.items()}

LEAK = Case(
    "ConnectionPoolLeak",
    (
        *Trouble(
            _HELD,
            lasts=20,
            fires=7,
            first=[_leak("0.533")],
            pages=[_leak("1")],
            early="there is none, but half of the window is needed",
            fades=7,
            below="a half, which is not more than a half",
            reset=[_leak("0.933")],
            merged=(
                activity(_CHAT, "executing", good=240),
                activity(_CHAT, "in_transaction", good=120),
                activity(_CHAT, "idle", good=120, bad=180),
                _over(good=480),
            ),
            merged_says="scraped as one, what one has lost is not diluted by the others",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [activity(_CHAT, "in_transaction", good=0, bad=60), _over(good=0)],
                *(good(10), bad(30)),
            ),
            (*silent("16m"), paged("17m", _leak("0.533")), paged("39m", _leak("1"))),
            "a single connection, and never another",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [activity(_CHAT, "idle", good=30, **_LOST_EACH_TEN_MINUTES), _over(good=30)],
                *(minute(each) for each in range(40)),
            ),
            (*silent("9m", "16m"), paged("17m", _leak("0.533")), paged("39m", _leak("2.67"))),
            "one every ten minutes",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                # What is held by who came last is not over yet.
                [activity(_CHAT, "idle", good=0, **_RAMP), _over(good=0, **_NEARLY_ALL)],
                *(minute(each) for each in range(41)),
            ),
            silent(*(f"{at}m" for at in range(5, 41, 5))),
            "traffic that grows for forty minutes is none",
        ),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                # A pool of 15 is in use throughout. When holds of two seconds come to last twenty,
                # there are 150 seconds in them that are not over, and not 15 any more.
                [activity(_CHAT, "idle", good=900), _over(good=900, slower=900 - 135)],
                *(good(20), Phase("slower"), good(20)),
            ),
            silent(*(f"{at}m" for at in range(15, 41, 5))),
            "holds that take ten times as long are none",
        ),
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
