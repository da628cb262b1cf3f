"""Finds out, tells and remembers what goes wrong with one pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pool_observer.claim import Claim
from pool_observer.contention import Seats
from pool_observer.explaining import Explainer, blocked_loop
from pool_observer.explanation import BlockedLoop, ExplainedHold
from pool_observer.failures import Failures
from pool_observer.incidents import IncidentKind, Incidents
from pool_observer.ledger import Ledger
from pool_observer.loops import LoopLag
from pool_observer.model import NANOSECONDS, Outcome
from pool_observer.server import ServerState, not_asked
from pool_observer.settled import Settled
from pool_observer.standing import Look
from pool_observer.summary import BEGINNING, Explanation

MOST_EXPLAINED = 500
"""Holds that are looked into at a time. Few pools have more."""

MOST_IN_A_NOTE = 100
"""The same where an application waits for it to be told that it gets no connection."""

SUMMARY_LASTS_NS = NANOSECONDS // 4
"""For how long an explanation serves those who time out just after another."""


class Forensics:
    """What an observer knows of the holds that should not be, or not for so long."""

    def __init__(
        self,
        ledger: Ledger,
        loops: LoopLag,
        incidents: Incidents,
        failures: Failures,
        seats: Callable[[], Seats],
    ) -> None:
        self._ledger = ledger
        self._loops = loops
        self._seats = seats
        self._failures = failures
        self._last_summary: tuple[int, str] | None = None
        self._stalled: dict[int, BlockedLoop] = {}
        """The event loops that were blocked when we last looked, by their `id()`."""
        self.incidents = incidents
        self.server: Callable[[], ServerState | None] = not_asked

    def explain(self, opened: Settled | None = None, most: int | None = None) -> Explanation:
        """Who holds the connections, by default now, and by default as many as we look into."""
        opened = opened or self._ledger.open_now()
        most = MOST_EXPLAINED if most is None else most
        seats = self._seats()
        with self._explainer(opened) as explainer:
            return Explanation(
                pool=self._ledger.pool,
                used=seats.taken(opened.holding),
                max=seats.limit,
                unseen=seats.unseen,
                waiting=len(opened.waiting),
                holds=tuple(self._explained(explainer, opened.holding[:most])),
                waits=tuple(self._ledger.wait(each, opened.now) for each in opened.waiting[:most]),
                holds_left_out=len(opened.holding[most:]),
                blocked_loops=explainer.blocked_loops(),
            )

    def _explained(self, explainer: Explainer, claims: list[Claim]) -> Iterator[ExplainedHold]:
        for claim in claims:
            try:
                yield explainer.explain(claim)
            except Exception:  # one that cannot be explained must not keep the others from it
                self._failures.note("explaining a hold")

    def _explainer(self, opened: Settled) -> Explainer:
        return Explainer(self._ledger, self._loops, opened.waiting, opened.now, self.server())

    def put_down(self, settled: Settled) -> list[ExplainedHold]:
        """Note what has gone wrong. Returns what is overdue and still out."""
        if not (settled.overdue or settled.returned or settled.lost):
            return []  # nearly always
        try:
            return self._put_down(settled)
        except Exception:
            self._failures.note("looking into holds")
            return []

    def _put_down(self, settled: Settled) -> list[ExplainedHold]:
        still_out = []
        with self._explainer(settled) as explainer:
            for kind, claims in (
                (IncidentKind.OVERDUE, settled.overdue),
                (IncidentKind.LOST, settled.lost),
                (IncidentKind.RETURNED, settled.returned),
            ):
                for held in self._explained(explainer, claims[:MOST_EXPLAINED]):
                    self.incidents.add(kind, held)
                    if held.hold.ending is None:
                        still_out.append(held)
                self.incidents.add_more(kind, len(claims[MOST_EXPLAINED:]))
        return still_out

    def watch_loops(self) -> None:
        """Note event loops that were blocked and run again, and what has blocked them.

        Once a second, while they are: afterwards nothing is to be seen of it any more.
        """
        stalls = self._loops.stalls()
        with Look(stalls) as look:
            for loop, stall in stalls.items():
                self._stalled[loop] = blocked_loop(stall, look, self._failures)
        for loop in [loop for loop in self._stalled if loop not in stalls]:
            self.incidents.loop_blocked(self._stalled.pop(loop))

    def empty_handed(self, error: BaseException, claim: Claim) -> None:
        """Take note of who got no connection, and if it is the pool's, tell them who held them.

        This is their time, in the middle of a checkout: no lock is taken for longer than it
        takes to append to a list, and nobody is called but for a holder's name.
        """
        ledger = self._ledger
        now = ledger.clock()
        wait = ledger.wait(claim, now, claim.outcome)
        if claim.outcome is Outcome.FAILED:
            self.incidents.failed(wait, type(error).__name__)
        elif claim.outcome is Outcome.TIMED_OUT and not _is_noted(error):
            last = self._last_summary
            if last is None or now - last[0] > SUMMARY_LASTS_NS:  # many may give up at a time
                opened = ledger.open_now()
                opened.waiting.insert(0, claim)  # what it holds may be what others wait for
                last = self._last_summary = now, str(self.explain(opened, MOST_IN_A_NOTE))
            self.incidents.timed_out(wait, last[1])
            error.add_note(last[1])

    def reset_after_fork(self) -> None:
        """What has happened in the parent is the parent's to tell."""
        self.incidents.reset_after_fork()
        self._last_summary = None
        self._stalled = {}


def _is_noted(error: BaseException) -> bool:
    """Whether it was another pool's time-out, in the middle of opening a connection of ours."""
    notes = getattr(error, "__notes__", ())
    return any(isinstance(note, str) and note.startswith(BEGINNING) for note in notes)
