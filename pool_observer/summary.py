"""Who holds the connections of a pool, why, and what to change, for a log and for a traceback."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pool_observer.explanation import BlockedLoop, ExplainedHold, Trouble
from pool_observer.model import CallSite, Stage, Wait
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words, one_line, plural

BEGINNING = 'pool "'
"""How it begins."""

MOST_GROUPS = 10
"""Holders and lines that are told apart: it may end up in a log a hundred times."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who holds the connections of a pool, why, and what to change.

    Print it: holders are grouped by line, those that have held the longest first.
    """

    pool: str
    used: int
    """Connections of the pool that are out."""
    max: int | None
    """The most that it hands out; None if it has no limit."""
    unseen: int
    """Those that were out before the observer was attached, of which nothing is known."""
    waiting: int
    """Callers that wait for one."""
    holds: tuple[ExplainedHold, ...]
    """Who holds them, the longest held first."""
    waits: tuple[Wait, ...]
    """Who waits, the longest waiting first."""
    holds_left_out: int = 0
    """Holds, shorter than those, that were too many to look into."""
    blocked_loops: tuple[BlockedLoop, ...] = ()
    """The event loops that do not run what is due."""

    def __str__(self) -> str:
        return "\n".join(one_line(line) for line in self._lines())

    def headline(self) -> str:
        """How full the pool is, in a sentence."""
        if self.max is not None and self.used >= self.max:
            number = "the only connection" if self.max == 1 else f"all {self.max} connections"
            parts = [f"{number} held"]
        elif self.max is not None:
            parts = [f"{self.used} of {plural(self.max, 'connection')} held"]
        else:
            parts = [f"{plural(self.used, 'connection')} held"]
        opening = self._opening()
        if opening:
            parts.append(f"{len(opening)} being opened or tested")
        waiting = self.waiting - len(opening)
        if waiting:
            queueing = next((wait for wait in self.waits if wait.stage is Stage.QUEUE), None)
            first = "" if queueing is None else f", the first for {in_words(queueing.seconds)}"
            parts.append(
                f"{'1 caller waits' if waiting == 1 else f'{waiting} callers wait'}{first}"
            )
        return ", ".join(parts)

    def _opening(self) -> list[Wait]:
        """Those who have been given a place already, and wait for the database."""
        return [wait for wait in self.waits if wait.stage is not Stage.QUEUE]

    def _lines(self) -> Iterator[str]:
        yield f'{BEGINNING}{self.pool}": {self.headline()}'
        for loop in self.blocked_loops:
            by = "" if loop.standing is None else f": {loop.standing}"
            yield f"  an event loop has been blocked for {in_words(loop.seconds)}{by}"
        groups = grouped(self.holds)
        for group in groups[:MOST_GROUPS]:
            yield from _of_group(group)
        left_out = self.holds_left_out + sum(map(len, groups[MOST_GROUPS:]))
        if left_out:
            yield f"  {plural(left_out, 'more connection')} held, none of them for longer"
        opening = self._opening()
        longest = max((wait.connect_seconds + wait.ping_seconds for wait in opening), default=0)
        if longest >= Thresholds().trouble_after:
            yield (
                f"  {plural(len(opening), 'connection')} being opened or tested, the longest for "
                f"{in_words(longest)}: the database, or the way to it, does not answer"
            )
        if self.unseen:
            yield f"  {plural(self.unseen, 'connection')} held since before they were observed"
        known = self.holds and not self.unseen
        if self.waits and known and not any(held.diagnosis for held in self.holds):
            yield "  nobody has held one for long: there are too few for so many at a time"


def grouped(holds: tuple[ExplainedHold, ...]) -> list[list[ExplainedHold]]:
    """Holds by holder and line, in the order of the longest of each."""
    groups: dict[tuple[str, CallSite | None], list[ExplainedHold]] = {}
    for held in holds:
        groups.setdefault((held.hold.holder, held.hold.call_site), []).append(held)
    return list(groups.values())


def _of_group(group: list[ExplainedHold]) -> Iterator[str]:
    """Its longest hold stands for the others."""
    first = group[0]
    hold = first.hold
    age = in_words(hold.seconds)
    how_long = f"for {age}" if len(group) == 1 else f"the longest for {age}"
    site = "" if hold.call_site is None else f", taken at {hold.call_site}"
    yield f"  {len(group)} x {one_line(hold.holder)}, {how_long}, {_activities(group)}{site}"
    yield from (f"      {line}" for line in details(first))
    yield from (f"      {line}" for line in _other_troubles(group))


def _activities(group: list[ExplainedHold]) -> str:
    """What they are doing, and how many if that is not the same."""
    counts = Counter(held.hold.activity.value.replace("_", " ") for held in group)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{number} {activity}" for activity, number in counts.most_common())


def _other_troubles(group: list[ExplainedHold]) -> Iterator[str]:
    """What is wrong with others of the group, where it is something else."""
    known = {group[0].diagnosis and group[0].diagnosis.kind}
    for held in group:
        diagnosis = held.diagnosis
        if diagnosis is not None and diagnosis.kind not in known:
            known.add(diagnosis.kind)
            kinds = [each.diagnosis.kind for each in group if each.diagnosis is not None]
            yield f"{kinds.count(diagnosis.kind)} of them: {diagnosis.text}"
            yield f"-> {diagnosis.mend}"


def details(held: ExplainedHold) -> Iterator[str]:
    """Where the holder stands, what is wrong, and what mends it."""
    hold, standing, diagnosis = held.hold, held.standing, held.diagnosis
    if standing is not None and standing.at is not None:
        yield f"now {standing}"
    if diagnosis is None:
        activity = hold.activity.value.replace("_", " ")
        yield f"{activity} for {in_words(hold.activity_for_seconds)}"
    else:
        yield diagnosis.text
        yield f"-> {diagnosis.mend}"
    if held.server is not None and not (diagnosis and diagnosis.kind is Trouble.LOCKED):
        yield f"on the server {held.server}"
    if hold.limit_reason is not None:
        limit = "" if math.isinf(hold.limit_seconds) else f" up to {in_words(hold.limit_seconds)}"
        yield f"meant to last{limit or ' long'}: {hold.limit_reason}"
