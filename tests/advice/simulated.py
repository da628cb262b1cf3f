"""A queue for connections, reckoned caller by caller. It knows nothing of the model."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    a_second: float
    mean_hold: float

    @property
    def connections(self) -> float:
        return self.a_second * self.mean_hold


def waits(connections: int, routes: list[Route], callers: int, *, long: float, seed: int) -> float:
    """The share of callers that wait longer, first come first served.

    They come independently of each other, and each keeps its connection for a time that varies
    as an exponential distribution does about the mean of its route.
    """
    chance = random.Random(seed)
    rates = [route.a_second for route in routes]
    among = chance.choices(routes, rates, k=callers)
    free_at = [0.0] * connections
    now, too_long = 0.0, 0
    for route in among:
        now += chance.expovariate(sum(rates))
        served_at = max(now, free_at[0])
        too_long += served_at - now > long
        heapq.heapreplace(free_at, served_at + chance.expovariate(1 / route.mean_hold))
    return too_long / callers
