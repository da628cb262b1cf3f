"""How many connections keep callers from queueing, by the model of Erlang (M/M/c).

It takes callers to arrive independently of each other. How long the holds are hardly matters for
whether a caller has to wait, only their mean does. For how long does depend on it: where most holds
are short and some are long, the queue lasts as long as those, so nothing is made of its length.
"""

from __future__ import annotations

LONGEST_WAIT_SECONDS = 0.01
WAITS_RATIO = 0.001
"""Enough connections are those with which fewer callers than this wait longer than that."""

MODEL_RATIO = WAITS_RATIO / 2
"""What the model may come to, of callers that wait at all. Holds of very different lengths make
more of them wait than it says, though not twice as many."""

MOST_CONNECTIONS = 10_000
"""On average. What needs more was not measured, it was made up."""


def waits_ratio(connections: int, offered: float) -> float:
    """The share of callers that have to wait, with so many connections.

    :param offered: connections held on average if there were enough: arrivals x mean hold.
    """
    if offered <= 0:
        return 0.0
    blocked = 1.0  # Erlang B, from 0 connections up
    for number in range(1, connections + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return _waits(connections, blocked, offered)


def connections_needed(offered: float) -> int:
    """The fewest connections with which almost nobody has to wait."""
    if not 0 <= offered <= MOST_CONNECTIONS:
        raise ValueError(f"{offered:g} connections on average are beyond reason")
    if offered == 0:
        return 0
    number, blocked = 0, 1.0
    while True:
        number += 1
        blocked = offered * blocked / (number + offered * blocked)
        if _waits(number, blocked, offered) < MODEL_RATIO:
            return number


def _waits(connections: int, blocked: float, offered: float) -> float:
    """Erlang C from Erlang B."""
    if connections <= offered:
        return 1.0  # the queue grows without end
    return blocked / (1 - offered / connections * (1 - blocked))
