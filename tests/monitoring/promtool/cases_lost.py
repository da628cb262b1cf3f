"""Alerts about connections that are out for too long, or dropped."""

from __future__ import annotations

from tests.monitoring.promtool.eight import Trouble
from tests.monitoring.promtool.held import returned
from tests.monitoring.promtool.scenario import Case, Kind, Page, Scenario, paged, silent
from tests.monitoring.promtool.series import ORDERS, bad, gauge, good, told, unseen
from tests.monitoring.promtool.texts import CHAT, GRAFANA, HOLDER_LABELS, HOLDER_URL, RUNBOOKS


def _overdue(value: str) -> Page:
    return Page(
        HOLDER_LABELS | {"severity": "warning"},
        "POST /chat/{id} holds connections of pool db.internal:5432/orders of shop "
        "(10.0.0.7:8000) for too long",
        "POST /chat/{id} has had connections of pool db.internal:5432/orders of shop "
        "(10.0.0.7:8000) for longer than leak_after (30 s unless the service says otherwise): "
        f"{value} now. The log has the line that took each, and where the holder stands.",
        f"{RUNBOOKS}#connectionpooloverdueholds",
        f"{GRAFANA}/pool-observer-holders?{HOLDER_URL}",
    )


_TOO_LONG = gauge("pool_observer_overdue_connections", labels=CHAT, good=0, bad=2)
_TWO_WORKERS = [{**ORDERS, "worker": worker} for worker in ("0", "1")]

OVERDUE = Case(
    "ConnectionPoolOverdueHolds",
    (
        *Trouble(
            [_TOO_LONG],
            pages=[_overdue("2")],
            early="there is none, it fires at once",
            below="there is nothing between none and one",
            merged_says="scraped as one, they are added up",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            [s for one in _TWO_WORKERS for s in told(one, [_TOO_LONG], good(10), bad(5))],
            (*silent("9m"), paged("10m", _overdue("4"))),
            "one instance with two workers, which are added up",
        ),
    ),
)


def _lost(value: str) -> Page:
    return Page(
        HOLDER_LABELS | {"severity": "warning"},
        "POST /chat/{id} drops connections of pool db.internal:5432/orders of shop (10.0.0.7:8000)",
        "Within the last 15 min, the garbage collector found connections of pool "
        "db.internal:5432/orders of shop (10.0.0.7:8000) that POST /chat/{id} took and nobody "
        f"returned: {value}. The log has the line that took each.",
        f"{RUNBOOKS}#connectionpoollostconnections",
        f"{GRAFANA}/pool-observer-holders?{HOLDER_URL}",
    )


LOST = Case(
    "ConnectionPoolLostConnections",
    (
        *Trouble(
            (returned("checkin", CHAT, good=60), returned("lost", CHAT, good=0, bad=1)),
            first=[_lost("1")],
            pages=[_lost("10")],
            early="there is none, it fires at once",
            fades=14,
            below="there is nothing between none and one",
            reset=[_lost("13")],
            merged=(returned("checkin", CHAT, good=240), returned("lost", CHAT, good=0, bad=1)),
            merged_says="scraped as one, they are added up",
        ).eight(),
        Scenario(
            Kind.BESIDE,
            told(
                ORDERS,
                [
                    returned("lost", CHAT, good=0),
                    returned("checkin", CHAT, good=60),
                    returned("detached", CHAT, good=0, bad=3),
                ],
                *(good(5), bad(10)),
            ),
            silent("6m", "14m"),
            "what is detached on purpose is not lost",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [returned("lost", CHAT, born=1, good=0)], unseen(10), good(20)),
            (*silent("9m"), paged("10m", _lost("1")), paged("14m", _lost("1")), *silent("15m")),
            "the first scrape that has the holder has one already",
        ),
        Scenario(
            Kind.BESIDE,
            told(ORDERS, [returned("lost", CHAT, good=0, bad=1)], good(10), bad(1), good(20)),
            (paged("10m", _lost("1")), paged("24m", _lost("1")), *silent("26m")),
            "one is told as one for as long as the text says",
        ),
    ),
)

CASES = (OVERDUE, LOST)
