"""What is a leak, and what only looks like one: holds at random, and some that never end."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from tests.monitoring.promtool.scenario import Kind, Moment, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import ORDERS
from tests.monitoring.promtool.simulated import MINUTE, Held, Load, exported
from tests.monitoring.promtool.texts import GRAFANA, HOLDER_LABELS, HOLDER_URL, RUNBOOKS

_CHAT = "POST /chat/{id}"
_BROWSE = "GET /orders"
_LASTS = 45
"""Minutes."""
_SEED = 8


def leak(value: str) -> Page:
    return Page(
        HOLDER_LABELS | {"severity": "warning"},
        "POST /chat/{id} leaks connections of pool db.internal:5432/orders of shop (10.0.0.7:8000)",
        "POST /chat/{id} has taken connections of pool db.internal:5432/orders of shop "
        f"(10.0.0.7:8000) and not given them back: {value} on average over 15 min. Each is lost to "
        "the pool until the process ends.",
        f"{RUNBOOKS}#connectionpoolleak",
        f"{GRAFANA}/pool-observer-holders?{HOLDER_URL}",
    )


def _lost(*minutes: float) -> list[Held]:
    """Taken then, and never given back."""
    return [Held(_CHAT, minute * MINUTE) for minute in minutes]


def _of(*loads: Load) -> list[Held]:
    return list(chain.from_iterable(load.holds(_LASTS, _SEED) for load in loads))


_SHORT = _of(Load(_CHAT, 2, 2), Load(_BROWSE, 1, 0.5))
_MINUTE_LONG = _of(Load(_CHAT, 20, 60))
_MINUTES_LONG = _of(Load(_CHAT, 10, 300))
_ALWAYS = silent(*(f"{minute}m" for minute in range(3, _LASTS, 3)))


def _scenario(says: str, holds: Iterable[Held], *moments: Moment) -> Scenario:
    return _lives(says, holds, [(0, _LASTS)], *moments)


def _lives(
    says: str, holds: Iterable[Held], lives: Iterable[tuple[int, int]], *moments: Moment
) -> Scenario:
    series = exported(ORDERS, holds, *lives)
    return Scenario(Kind.BESIDE, series, moments, says, interval="15s")


HARMLESS = (
    _scenario("twenty at a time that last a minute are none", _MINUTE_LONG, *_ALWAYS),
    _scenario("ten at a time that last five minutes are none", _MINUTES_LONG, *_ALWAYS),
    _scenario(
        "traffic that grows from nothing for forty minutes is none",
        _of(Load(_CHAT, 40, 60, grows_for=40)),
        *_ALWAYS,
    ),
    _scenario(
        "long holds that grow from nothing within ten minutes are none",
        _of(Load(_CHAT, 20, 300, grows_for=10)),
        *_ALWAYS,
    ),
    _scenario(
        "a long hold that was declared is none",
        [*_SHORT, Held(_CHAT, 10 * MINUTE, 40 * MINUTE, limit=3600)],
        *_ALWAYS,
    ),
    _lives(
        "what is out when a process ends is none, nor what its successor takes up",
        _MINUTES_LONG,
        [(0, 20), (22, 34), (34, _LASTS)],
        *_ALWAYS,
    ),
)
"""Where the estimate alone would cry."""

LEAKS = (
    *HARMLESS,
    _scenario(
        "one that is lost is told after seven minutes and a half",
        _SHORT + _lost(10),
        *silent(*(f"{minute}m" for minute in range(3, 18, 2))),
        *(paged("18m", leak("0.534")), paged("44m", leak("0.998"))),
    ),
    _scenario(
        "a single connection, and never another",
        _lost(10),
        *silent("17m"),
        *(paged("18m", leak("0.533")), paged("44m", leak("1"))),
    ),
    _scenario(
        "one that is lost each ten minutes, and each is counted",
        _SHORT + _lost(10, 20, 30),
        *silent("17m"),
        *(paged("18m", leak("0.534")), paged("39m", leak("2.6"))),
    ),
    _scenario(
        "one that is lost where twenty others last a minute, which now and then hide it",
        _MINUTE_LONG + _lost(10),
        *silent("18m"),
        *(paged("19m", leak("0.544")), paged("25m", leak("1.35"))),
        *silent("26m"),
        *(paged("27m", leak("1.06")), paged("44m", leak("0.974"))),
    ),
)
