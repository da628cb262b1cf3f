"""What listeners are going to be told of one settling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from pool_observer.claim import Claim
from pool_observer.contention import Capacity
from pool_observer.model import Event, Outcome, Wait
from pool_observer.occupying import Group, occupants

QUEUED_NS = 10_000_000
"""Who queued for less is not told who held the connections."""


class Told:
    """The events of one settling, in the order in which they were counted."""

    __slots__ = ("_queued", "events")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._queued: dict[Claim, tuple[int, Wait]] = {}

    def wait(self, wait: Wait, claim: Claim) -> None:
        """Tell of a wait that is over."""
        if wait.queue_ns >= QUEUED_NS:
            self._queued[claim] = len(self.events), wait
        self.events.append(wait)

    def say_who_held(
        self, claims: Iterable[Claim], capacity: Capacity | None, group: Callable[[Claim], Group]
    ) -> None:
        """Add to those who had to queue who held the connections, of all these claims."""
        if not self._queued or capacity is None:
            return
        pool = capacity.pool
        holds = [c for c in claims if c.outcome is Outcome.ACQUIRED and c.pool == pool]
        held_by = occupants(self._queued, holds, capacity.limit - capacity.unseen, group)
        for claim, (index, wait) in self._queued.items():
            self.events[index] = replace(wait, held_by=held_by[claim])
