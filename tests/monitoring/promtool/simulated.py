"""What a process exports of holds that are taken and returned at random, scraped each 15 s."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tests.monitoring.promtool.series import Labels

SCRAPE_SECONDS = 15
MINUTE = 60.0
LEAK_AFTER = 30.0
"""Seconds after which a hold is overdue, unless it was declared to be long."""

Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """One connection that somebody took, in seconds since the beginning."""

    holder: str
    taken: float
    returned: float = math.inf
    limit: float = LEAK_AFTER

    def age(self, now: float) -> float:
        """How long it has been out by now."""
        return min(now, self.returned) - self.taken

    def is_out(self, now: float) -> bool:
        return self.returned > now


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that come at random and hold a connection for about so long."""

    holder: str
    held: float
    """Connections out on average."""
    seconds: float
    """How long each is out, give or take a fifth."""
    grows_for: float = 0.0
    """Minutes in which it becomes as much, from nothing."""

    def holds(self, minutes: float, seed: int) -> Iterator[Held]:
        chance, now = random.Random(seed), 0.0
        while (now := now + chance.expovariate(self.held / self.seconds)) < minutes * MINUTE:
            lasts = self.seconds * chance.uniform(0.8, 1.2)
            if chance.random() * self.grows_for * MINUTE <= now:
                yield Held(self.holder, now, now + lasts)


def exported(process: Labels, holds: Iterable[Held], *lives: tuple[int, int]) -> list[Line]:
    """The series that tell of leaks, of processes that live from one minute to another in turn.

    A holder has none before its first hold. What is out when a process ends is out no more.
    """
    known = sorted(holds, key=lambda hold: hold.taken)
    parts = [_life(known, *map(int, (began * MINUTE, ended * MINUTE))) for began, ended in lives]
    names = dict.fromkeys(name for part in parts for name in part)
    lines = []
    for metric, labels in names:
        values: list[str] = []
        for (began, ended), part in zip(lives, parts, strict=True):
            missing = began * int(MINUTE) // SCRAPE_SECONDS - len(values)
            values += ["stale", *["_"] * (missing - 1)] if values and missing else []
            values += part.get((metric, labels)) or ["_"] * _scrapes(began, ended)
        told = ", ".join(f'{name}="{value}"' for name, value in (process | dict(labels)).items())
        lines.append({"series": f"{metric}{{{told}}}", "values": " ".join(_shortened(values))})
    return lines


_Name = tuple[str, tuple[tuple[str, str], ...]]


def _life(holds: Sequence[Held], began: int, ended: int) -> dict[_Name, list[str]]:
    own = [hold for hold in holds if began <= hold.taken < ended]
    times = range(began, ended, SCRAPE_SECONDS)
    found = {_name(_OLDEST): [_figure(scrape.oldest) for scrape in _scraped(own, times)]}
    for holder in dict.fromkeys(hold.holder for hold in own):
        his = [hold for hold in own if hold.holder == holder]
        for name, told in _TOLD.items():
            activity = {"activity": "idle"} if name == _ACTIVITY else {}
            found[_name(name, holder=holder, **activity)] = [
                told(scrape) if scrape.is_known else "_" for scrape in _scraped(his, times)
            ]
    return found


@dataclass(frozen=True, slots=True)
class _Scrape:
    """What is known of some holds at a moment."""

    is_known: bool
    over: float
    """Seconds of those that are over."""
    held: float
    """Seconds of all."""
    oldest: float
    overdue: int


def _scraped(holds: Sequence[Held], times: Iterable[int]) -> Iterator[_Scrape]:
    coming, out, over = list(reversed(holds)), list[Held](), 0.0
    for now in times:
        while coming and coming[-1].taken <= now:
            out.append(coming.pop())
        over += sum(hold.age(now) for hold in out if not hold.is_out(now))
        out = [hold for hold in out if hold.is_out(now)]
        ages = [hold.age(now) for hold in out]
        overdue = sum(hold.age(now) > hold.limit for hold in out)
        is_known = len(coming) < len(holds)
        yield _Scrape(is_known, over, over + sum(ages), max(ages, default=0.0), overdue)


_OLDEST = "pool_observer_oldest_hold_seconds"
_ACTIVITY = "pool_observer_activity_seconds_total"
_TOLD: dict[str, Callable[[_Scrape], str]] = {
    _ACTIVITY: lambda scrape: _figure(scrape.held),
    "db_client_connection_use_time_seconds_sum": lambda scrape: _figure(scrape.over),
    "pool_observer_overdue_connections": lambda scrape: str(scrape.overdue),
}
"""What is told of each holder."""


def _name(metric: str, **labels: str) -> _Name:
    return metric, tuple(labels.items())


def _scrapes(began: int, ended: int) -> int:
    return (ended - began) * int(MINUTE) // SCRAPE_SECONDS


def _figure(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0")


def _shortened(values: Iterable[str]) -> Iterator[str]:
    """As promtool can be told of several that are the same."""
    for value, same in groupby(values):
        times = len(list(same))
        if value == "stale" or times == 1:
            yield value
        else:
            yield f"_x{times}" if value == "_" else f"{value}x{times - 1}"
