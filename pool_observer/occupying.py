"""Who held the connections that somebody had to queue for.

Of who gave up, those who held the connections then. Of who was handed one, those who held them
when there was none to be had for the last time: by the time at which it gets on, others may
have given theirs back too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import IntEnum
from operator import itemgetter

from pool_observer.claim import Claim
from pool_observer.model import CallSite, Occupant

Group = tuple[str, CallSite | None]
"""A holder, and the line it has asked from."""

_NOBODY: Group = ("", None)


class _Change(IntEnum):
    """What happens at an instant, in the order in which it is taken into account."""

    GIVING_UP = 0
    RETURN = 1
    TAKING_OVER = 2
    GRANT = 3


def occupants(
    waits: Iterable[Claim],
    claims: Iterable[Claim],
    limit: int,
    group: Callable[[Claim], Group],
) -> dict[Claim, tuple[Occupant, ...]]:
    """For each of these waits that are over, who held how many of the `limit` connections.

    One pass over all that has happened: there may be thousands of both after a stall.
    """
    changes: list[tuple[int, _Change, Claim, Group]] = []
    for claim in waits:
        ended_at, change = claim.granted_at, _Change.TAKING_OVER
        if ended_at is None:
            ended_at, change = claim.ended_at, _Change.GIVING_UP
        assert ended_at is not None
        queued_until = claim.queued_until(ended_at)
        changes.append((queued_until, change, claim, _NOBODY))
    for claim in claims:
        granted_at, ended_at = claim.granted_at, claim.ended_at
        if granted_at is not None:
            holder = group(claim)
            changes.append((granted_at, _Change.GRANT, claim, holder))
            if ended_at is not None:
                changes.append((ended_at, _Change.RETURN, claim, holder))
    changes.sort(key=itemgetter(0, 1))

    held: defaultdict[Group, int] = defaultdict(int)
    full: dict[Group, int] = {}
    full_until = total = 0
    found: dict[Claim, tuple[Occupant, ...]] = {}
    for instant, change, claim, holder in changes:
        if change is _Change.GRANT:
            held[holder] += 1
            total += 1
        elif change is _Change.RETURN:
            if total >= limit:
                full, full_until = held.copy(), instant
            held[holder] -= 1
            total -= 1
        else:
            was_full = change is _Change.TAKING_OVER and full_until >= claim.asked_at
            found[claim] = _most_first(full if was_full else held)
    return found


def _most_first(held: dict[Group, int]) -> tuple[Occupant, ...]:
    counts = sorted(held.items(), key=itemgetter(1), reverse=True)
    return tuple(Occupant(name, site, number) for (name, site), number in counts if number > 0)
