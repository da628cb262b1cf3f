"""When each panel has something to show: always, or in the troubles that it is there for."""

from __future__ import annotations

from tests.monitoring.live.asking import Question
from tests.monitoring.live.phases import CHAT, PHASES, SELL
from tests.monitoring.live.service import POOL
from tests.monitoring.live.story import Story
from tests.monitoring.live.watching import JOB

Phases = frozenset[str]

SCRAPED = frozenset(phase.name for phase in PHASES) - {"gone"}
BUSY = frozenset(phase.name for phase in PHASES if SELL in phase.traffic)
"""Those in which connections are taken and returned all the time."""
ALERTING = frozenset(phase.name for phase in PHASES if phase.alerts)
RESTING = frozenset({"exhausted", "idle in transaction"})

DURATIONS, DATABASE = BUSY, SCRAPED - {"refused"}
"""Quantiles of what has ended lately; what the server says, while it answers."""

SHOWN: dict[str, Phases] = {
    "Firing alerts": ALERTING,
    "All pools E": DURATIONS,
    "All pools G": DURATIONS,
    "Held, but not used": DURATIONS,
    "How long callers wait": DURATIONS,
    "Share of callers that give up": DURATIONS,
    "Checkouts that open a connection": DURATIONS,
    "Victims: waits, p99": DURATIONS,
    "Holds, p50": DURATIONS,
    "Holds, p99": DURATIONS,
    "Opening a connection, p95": frozenset({"churning"}),
    "Pools that have vanished": frozenset({"gone"}),
    "Share of the database's connections in use": DATABASE,
    "Sessions by state": DATABASE,
    "Sessions: ours and others'": DATABASE,
    "Share of max_connections in use": DATABASE,
    "A pooler in between": DATABASE,
    "Oldest transaction": RESTING | {"locked"},
    "Oldest transaction, by holder": RESTING | {"locked"},
    "Sessions of holders, by state": RESTING | {"locked", "leaking"},
    "Idle in transaction, by holder": RESTING,
    "Transactions that rest, by holder": RESTING,
    "Whose locks others wait for": RESTING | {"locked", "leaking"},
    "Who waits for locks": RESTING | {"locked", "leaking"},
}
"""By the title of the panel, and its target's `refId` where they differ. Others: in `SCRAPED`."""

MORE_THAN_NOTHING: dict[str, str] = {
    "Callers waiting": "exhausted",
    "Longest wait now": "exhausted",
    "Time-outs": "exhausted",
    "Callers that give up": "exhausted",
    "Fullest pool": "exhausted",
    "Time full": "exhausted",
    "Share of callers that give up": "exhausted",
    "Waits longer than any request should": "exhausted",
    "Blame": "exhausted",
    "Victims: callers that gave up": "exhausted",
    "Share of the pool kept unused": "exhausted",
    "What waits are made of A": "exhausted",
    "What waits are made of B": "churning",
    "What waits are made of C": "slow",
    "Opened and closed": "churning",
    "Found broken": "churning",
    "Checkouts that open a connection": "churning",
    "Overdue connections": "leaking",
    "Lost connections": "leaking",
    "Taken and never given back": "leaking",
    "Behind with returning": "leaking",
    "Nested checkouts": "nested",
    "Transactions at rest, for each connection taken": "idle in transaction",
    "Idle in transaction, by holder": "idle in transaction",
    "Transactions that rest, by holder": "idle in transaction",
    "Whose locks others wait for": "locked",
    "Who waits for locks": "locked",
    "Event loop is late by": "blocked",
    "Probes without an answer": "refused",
    "Failures of pool_observer": "broken",
    "Events without room, and drift A": "deaf",
    "Pools that have vanished": "gone",
}
"""The trouble in which a panel's figure is not 0; it is not enough that it shows one."""

CULPRITS = {
    "exhausted": CHAT,
    "idle in transaction": CHAT,
    "leaking": "POST /keep",
    "nested": "POST /nested",
    "churning": "POST /refresh",
    "locked": "POST /transfer/{item}",
}

HAS_ANOTHER: dict[tuple[str, str], str] = {
    ("Lost connections", "leaking"): "POST /lose",
    ("Behind with returning", "leaking"): "POST /keep",
    ("Who waits for locks", "locked"): SELL,
}
"""Whom to look at where it is not the culprit."""


def shown_phases(question: Question) -> Phases:
    """In which the question has an answer."""
    return SHOWN.get(question.panel, SHOWN.get(question.name, SCRAPED))


def trouble_of(question: Question) -> str | None:
    """In which the answer is not 0."""
    return MORE_THAN_NOTHING.get(question.panel, MORE_THAN_NOTHING.get(question.name))


def values_of(question: Question, phase: str, story: Story) -> dict[str, list[str]]:
    """One of each, as who follows the link of an alert has chosen them."""
    culprit = CULPRITS.get(phase, SELL)
    if shown_phases(question) == DURATIONS and phase != "exhausted":
        culprit = SELL  # who takes connections all the time
    chosen = {
        "job": JOB,
        "instance": story.instance,
        "pool": POOL,
        "holder": HAS_ANOTHER.get((question.panel, phase), culprit),
    }
    return {name: [value] for name, value in chosen.items()}
