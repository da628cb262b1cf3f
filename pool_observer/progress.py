"""How far a request has come. The phases of what it holds are told from it afterwards.

The middleware writes a time here when a phase begins, and that is all a request pays: how
much of a hold was in which phase is found when the hold is counted.
"""

from __future__ import annotations

import weakref
from typing import Any

from pool_observer.model import Phase

PhaseSplit = tuple[int, int, int, int]
"""Nanoseconds in each phase, in their order."""

NO_PHASES: PhaseSplit = (0, 0, 0, 0)

MOST_CLAIMS = 1000
"""Checkouts of one request that are kept for `Server-Timing`. Beyond them it is not told."""

HANDLER, RESPONSE, BACKGROUND, DETACHED = Phase


class RequestProgress:
    """When each phase of one request began, in nanoseconds of the ledgers' clock.

    It also stands for the request itself where connections held by one request are looked
    for: the same object in all its tasks and threads.
    """

    __slots__ = ("background_at", "claims", "detached_at", "response_at", "task")

    def __init__(self) -> None:
        self.task: weakref.ref[Any] | None = None
        """The task in which the request is answered."""
        self.response_at: int | None = None
        self.background_at: int | None = None
        self.detached_at: int | None = None
        self.claims: list[Any] | None = None
        """What the request asks of pools, if somebody wants to know (`Server-Timing`)."""

    def phase_at(self, instant: int) -> Phase:
        """Where the request was then."""
        for began_at, phase in (
            (self.detached_at, DETACHED),
            (self.background_at, BACKGROUND),
            (self.response_at, RESPONSE),
        ):
            if began_at is not None and began_at <= instant:
                return phase
        return HANDLER

    def split(self, begin: int, end: int) -> PhaseSplit:
        """How much of the time between two instants was in which phase."""
        # Each read once: the request goes on meanwhile.
        response = end if self.response_at is None else self.response_at
        background = end if self.background_at is None else self.background_at
        detached = end if self.detached_at is None else self.detached_at
        if response >= end and background >= end and detached >= end:
            return end - begin, 0, 0, 0  # nearly always
        # A phase that never came ended when the next began: a handler that raises sends no
        # response. Hence from the last to the first.
        detached = min(max(detached, begin), end)
        background = min(max(background, begin), detached)
        response = min(max(response, begin), background)
        return response - begin, background - response, detached - background, end - detached
