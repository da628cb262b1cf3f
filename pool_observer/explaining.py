"""Finds out of open holds where their holders stand and what is wrong with them.

Takes no lock, and calls nobody but for a holder's name: it also runs where a checkout has just
timed out, in the middle of the application.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from pool_observer.claim import Claim
from pool_observer.describing import Describing
from pool_observer.diagnosing import diagnose, version_of
from pool_observer.explanation import BlockedLoop, ExplainedHold, ServerSide, Standing
from pool_observer.failures import Failures
from pool_observer.loops import LoopLag, Stall
from pool_observer.model import NANOSECONDS
from pool_observer.server import ServerState
from pool_observer.standing import Look


class Explainer:
    """Explains the holds of one pool, all as of one instant, while it is entered."""

    def __init__(
        self,
        claims: Describing,
        loops: LoopLag,
        waiting: Sequence[Claim],
        now: int,
        server: ServerState | None = None,
    ) -> None:
        self._claims = claims
        self._now = now
        self._joined = {} if server is None else {held.key: held for held in server.holds}
        self._look = Look(loops.stalls(), [*claims.holds.copy().values(), *waiting])
        self._fastapi = version_of("fastapi")
        self._second: dict[Claim, Claim] = {}
        for wait in waiting:
            outer = wait.outer
            while outer is not None:
                self._second[outer] = wait
                outer = outer.outer

    def __enter__(self) -> Self:
        self._look.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._look.__exit__(*error)

    def blocked_loops(self) -> tuple[BlockedLoop, ...]:
        """The event loops that do not run what is due."""
        return tuple(self._blocked(stall) for stall in self._look.stalls.values())

    def explain(self, claim: Claim) -> ExplainedHold:
        """What is known of a hold; of one that is over, as it was at its end."""
        assert claim.granted_at is not None
        hold = self._claims.hold(claim, self._now, claim.ending)
        standing, blocked = None, None
        if claim.ending is None:
            standing, blocked = self._standing(claim)
        second = self._second.get(claim)
        if second is not None and not self._waits_for(claim, second):
            second = None
        server = self._server_side(claim)
        diagnosis = diagnose(
            hold,
            standing,
            server=server,
            second=None if second is None else self._claims.wait(second, self._now),
            blocked_loop=blocked,
            fastapi=self._fastapi,
        )
        return ExplainedHold(claim.granted_at, hold, standing, diagnosis, server)

    def _server_side(self, claim: Claim) -> ServerSide | None:
        """What the server has said of it."""
        joined = self._joined.get(claim.granted_at or 0)
        if joined is None or joined.session.pid != claim.backend_pid:
            return None
        if joined.blocked_by:
            # Of those that were blamed, who has given the connection back since is not to blame.
            open_now = {each.granted_at for each in self._claims.holds.copy().values()}
            left = tuple(by for by in joined.blocked_by if by.key is None or by.key in open_now)
            joined = replace(joined, blocked_by=left)
        return ServerSide(max(0, self._now - joined.seen_ns) / NANOSECONDS, joined)

    def _waits_for(self, claim: Claim, second: Claim) -> bool:
        """Whether the holder cannot go on before this wait is over."""
        try:
            return self._look.waits_for(claim, second)
        except Exception:
            self._claims.failures.note("finding out what a holder waits for")
            return False

    def _standing(self, claim: Claim) -> tuple[Standing | None, BlockedLoop | None]:
        try:
            stall = self._look.stall_of(claim)
            return self._look.at(claim), None if stall is None else self._blocked(stall)
        except Exception:
            self._claims.failures.note("finding out where a holder stands")
            return None, None

    def _blocked(self, stall: Stall) -> BlockedLoop:
        return blocked_loop(stall, self._look, self._claims.failures)


def blocked_loop(stall: Stall, look: Look, failures: Failures) -> BlockedLoop:
    """An event loop that is blocked, and by what if that can be seen."""
    try:
        standing = look.at_stall(stall)
    except Exception:
        failures.note("finding out what blocks an event loop")
        standing = None
    return BlockedLoop(stall.blocked_ns / NANOSECONDS, standing)
