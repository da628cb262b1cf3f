"""How much of a pool was wanted at once, how long it was full, and who made others queue.

All of it is worked out afterwards, from when each claim began and ended, and so exactly: what
looks at a pool now and then misses the bursts in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from pool_observer.claim import Claim
from pool_observer.model import NANOSECONDS

PEAK_WINDOW_NS = 60 * NANOSECONDS
"""How far back the peak of the demand is told."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many connections there are to be had."""

    limit: int
    """The most that the pool hands out."""
    pool: object
    """What claims on this pool say they are on. Those on one it has replaced do not fill it."""
    unseen: int = 0
    """Connections that are out, and of which there is no claim."""


@dataclass(frozen=True, slots=True)
class Seats:
    """The connections of the present pool."""

    pool: object
    """What claims on it say they are on; None when it is gone."""
    limit: int | None
    """The most that it hands out; None without a limit."""
    unseen: int
    """Those that are out, and of which there is no claim."""

    def taken(self, holding: Iterable[Claim]) -> int:
        """How many are out, if these are all that hold one, of this pool or another."""
        return self.unseen + sum(claim.pool == self.pool for claim in holding)

    @property
    def capacity(self) -> Capacity | None:
        """How many are to be had; None without a limit."""
        return None if self.limit is None else Capacity(self.limit, self.pool, self.unseen)


Part = tuple[Claim, int | None, int]
"""A claim, when it was granted, and when what is seen of it ends."""

Blame = dict[Claim | None, float]
"""Nanoseconds that others have queued on account of each hold; `None` is all that is unseen."""


class Peak:
    """The highest of the figures of the last minute."""

    def __init__(self) -> None:
        # When each was the last, and what it was. What a later one has reached is left out.
        self._falling: deque[tuple[int, int]] = deque()

    def add(self, until: int, figure: int) -> None:
        """Take account of the highest figure since the last time."""
        falling = self._falling
        while falling and falling[-1][1] <= figure:
            falling.pop()
        falling.append((until, figure))
        while falling[0][0] <= until - PEAK_WINDOW_NS:
            falling.popleft()

    def at(self, now: int) -> int:
        """The highest of the minute until now; 0 if there was none."""
        recent = (figure for until, figure in self._falling if until > now - PEAK_WINDOW_NS)
        return next(recent, 0)


class Contention:
    """Follows one pool from look to look."""

    def __init__(self, since: int) -> None:
        self.full_ns = 0
        self.full_times = 0
        self.demand = Peak()
        """The most connections of this pool that were held or asked for at the same time."""
        self._since = since
        self._was_full = False
        self._unfinished: list[Claim] = []

    def look(self, claims: list[Claim], until: int, capacity: Capacity | None) -> Blame:
        """Take account of the time since the last look, given all claims that were open in it.

        The pool counts as full while as many connections as it has are held or asked for.
        When one is handed on to who is next in the queue, it is free for an instant, but not
        for anybody else.
        """
        since, self._since = self._since, until
        # Some that were open at the last look may be on their way, no longer among those that
        # are open and not yet among those that have ended; or have ended since `until`.
        claims = [*claims, *set(self._unfinished).difference(claims)]
        # Each end is read once, and before the begin. Its owner goes on meanwhile, and writes
        # down an instant that may have passed some looks ago: whoever reads twice may find a
        # hold that is open, and then one that was over before this look began.
        seen = [(claim, claim.ended_at, claim.granted_at) for claim in claims]
        self._unfinished = [
            claim for claim, ended_at, _ in seen if ended_at is None or ended_at > until
        ]
        if until <= since:
            return {}  # a clock that is coarse, and nothing has changed since
        was_full, self._was_full = self._was_full, False
        parts = [
            (claim, granted_at, until if ended_at is None else min(ended_at, until))
            for claim, ended_at, granted_at in seen
            if (granted_at is None or capacity is None or claim.pool == capacity.pool)
            and claim.asked_at < until
            and (ended_at is None or ended_at > since)
        ]
        begins = sorted([max(claim.asked_at, since) for claim, _, _ in parts])
        ends = sorted([end for _, _, end in parts])
        unseen = 0 if capacity is None else capacity.unseen
        self.demand.add(until, unseen + _most_at_once(begins, ends))
        if capacity is None:
            return {}
        size = capacity.limit - unseen
        if len(parts) < size:
            return {}
        if size <= 0:
            begins, ends, size = [since, *begins], [*ends, until], 1
        full_until = since if was_full else None
        for begin, end in _spans(begins, ends, size):
            self.full_ns += end - begin
            self.full_times += begin != full_until
            self._was_full = end == until
        if next(_spans(begins, ends, size + 1), None) is None:
            return {}  # nobody had to queue
        return _blame(parts, since, until, capacity)


def _most_at_once(begins: list[int], ends: list[int]) -> int:
    """The most of the intervals that overlap at any instant. Both lists are sorted."""
    most = over = 0
    for begin in begins:
        # It takes the place of one that is over, if there is one.
        if begin < ends[over]:
            most += 1
        else:
            over += 1
    return most


def _spans(begins: list[int], ends: list[int], number: int) -> Iterator[tuple[int, int]]:
    """The spans of time in which at least so many of the intervals overlap.

    Both lists are sorted. Until the first has ended, there are `number` of them from when the
    `number`-th has begun; until the second has ended, from when the next after that has; and
    so on.
    """
    span: tuple[int, int] | None = None
    for begin, end in zip(islice(begins, number - 1, None), ends, strict=False):
        if begin >= end:
            continue
        if span is None:
            span = begin, end
        elif begin <= span[1]:
            span = span[0], end
        else:
            yield span
            span = begin, end
    if span is not None:
        yield span


def _blame(parts: list[Part], since: int, until: int, capacity: Capacity) -> Blame:
    """Share the time that claims have queued among those who held connections meanwhile."""
    # When, and what it changes: how many are there, how many queue, how many hold.
    changes: list[tuple[int, int, int, int, Claim]] = []
    for claim, granted_at, end in parts:
        waits_until = end if granted_at is None else min(granted_at, end)
        queued_until = claim.queued_until(waits_until)
        changes.append((max(claim.asked_at, since), 1, 1, 0, claim))
        changes.append((max(queued_until, since), 0, -1, 0, claim))
        holds = int(granted_at is not None and granted_at < until)
        if granted_at is not None and holds:
            changes.append((max(granted_at, since), 0, 0, 1, claim))
        changes.append((end, -1, 0, -holds, claim))
    changes.sort(key=itemgetter(0))

    there = waiting = 0
    held = unseen = capacity.unseen
    share = 0.0  # of the blame until now, for a connection that was held all the time
    share_before: dict[Claim, float] = {}
    blame: Blame = {}
    last = since
    for instant, comes, queues, holds, claim in changes:
        # Who asks while there are connections for all is not kept waiting by anybody.
        if there + unseen > capacity.limit and held:
            share += (instant - last) * waiting / held
        last = instant
        there += comes
        waiting += queues
        held += holds
        if holds > 0:
            share_before[claim] = share
        elif holds < 0 and share > share_before[claim]:
            blame[claim] = share - share_before[claim]
    if unseen:
        blame[None] = share * unseen
    return blame
