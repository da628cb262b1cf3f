"""How many connections keep callers from queueing, by the model of Erlang (M/M/c).

It takes callers to arrive independently of each other and holds to vary as an exponential
distribution does.
"""

from __future__ import annotations

import math

LONGEST_WAIT_SECONDS = 0.01
WAITS_RATIO = 0.001
"""Enough connections are those with which fewer callers than this wait longer than that."""

MOST_CONNECTIONS = 10_000
"""On average. What needs more was not measured, it was made up."""


def waits_ratio(connections: int, offered: float, mean_hold: float, longer_than: float) -> float:
    """The share of callers that wait for longer than so many seconds, with so many connections.

    :param offered: connections held on average if there were enough: arrivals x mean hold.
    """
    if offered <= 0:
        return 0.0
    blocked = 1.0  # Erlang B, from 0 connections up
    for number in range(1, connections + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return _waits(connections, blocked, offered, mean_hold, longer_than)


def connections_needed(offered: float, mean_hold: float) -> int:
    """The fewest connections with which almost nobody has to wait."""
    if not 0 <= offered <= MOST_CONNECTIONS:
        raise ValueError(f"{offered:g} connections on average are beyond reason")
    if offered == 0:
        return 0
    number, blocked = 0, 1.0
    while True:
        number += 1
        blocked = offered * blocked / (number + offered * blocked)
        if _waits(number, blocked, offered, mean_hold, LONGEST_WAIT_SECONDS) < WAITS_RATIO:
            return number


def _waits(
    connections: int, blocked: float, offered: float, mean_hold: float, longer_than: float
) -> float:
    """Erlang C from Erlang B, and how fast the queue drains."""
    if connections <= offered:
        return 1.0  # the queue grows without end
    waits = blocked / (1 - offered / connections * (1 - blocked))
    if longer_than <= 0:
        return waits
    if mean_hold <= 0:
        return 0.0
    return waits * math.exp(-(connections - offered) * longer_than / mean_hold)
