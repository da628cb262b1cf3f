"""Joins the server's sessions with the pool's holds, by the PID that the driver knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pool_observer.probe.reading import Reading, Row
from pool_observer.server import Blocker, JoinedHold, Owner, Session, SessionState

Backends = Mapping[int, tuple[int, str]]
"""The open holds by their backend PID: what tells a hold from all others, and its holder."""

Account = tuple[str | None, str | None]
"""A role and a database."""

MOST_BLOCKERS = 20
"""Of one session that are named. A crowd that shares a lock is one thing to look at, not many."""

MISSED = 3
"""Backends that the server does not know, none having been known, before a pooler is suspected.
One or two may have been ended by it while their holds are still open."""


@dataclass(frozen=True, slots=True)
class Joined:
    """One look at the server, with holds."""

    sessions: Mapping[tuple[Owner, SessionState], int]
    longest_transaction: Mapping[Owner, float]
    pooler: bool
    holds: tuple[JoinedHold, ...]


@dataclass(slots=True)
class Joining:
    """What is known from look to look."""

    accounts: set[Account] = field(default_factory=set)
    """Those that the pool's connections use."""
    _found: bool = False
    _missed: set[int] = field(default_factory=set)

    def join(
        self, reading: Reading, own_pid: int | None, before: Backends, after: Backends, now: int
    ) -> Joined:
        """Say whose session is whose.

        :param own_pid: what the driver says is the probe's own session, if it is connected as
            the pool is.
        :param before: the holds just before the look; those that are the same `after` have been
            there all the while, and what the server says is about them.
        """
        steady = {pid: held for pid, held in after.items() if before.get(pid) == held}
        known = {row.pid for row in reading.rows}
        found = steady.keys() & known
        pooler = self._behind_pooler(reading, own_pid, bool(found), steady.keys() - known)
        if pooler:
            steady = {}  # whoever has such a PID there is somebody else
        ours = steady.keys() | ({reading.pid} if own_pid is not None else set())
        self.accounts.update((row.user, row.database) for row in reading.rows if row.pid in ours)
        sessions = {row.pid: self._session(row, reading.pid) for row in reading.rows}
        blocks = Counter(pid for each in sessions.values() for pid in set(each.blocked_by))
        return Joined(
            sessions=_counts(sessions),
            longest_transaction=_longest(sessions),
            pooler=pooler,
            holds=tuple(
                JoinedHold(
                    key,
                    holder,
                    sessions[pid],
                    tuple(
                        Blocker(by, steady[by][1] if by in steady else None, sessions.get(by))
                        for by in sessions[pid].blocked_by[:MOST_BLOCKERS]
                    ),
                    blocks[pid],
                    now,
                )
                for pid, (key, holder) in steady.items()
                if pid in sessions
            ),
        )

    def _behind_pooler(
        self, reading: Reading, own_pid: int | None, found: bool, missed: set[int]
    ) -> bool:
        if own_pid is not None:
            return own_pid != reading.pid
        # Connected in another way than the pool is, so only its holds can tell.
        self._found = self._found or found
        self._missed = set() if self._found else self._missed | missed
        return len(self._missed) >= MISSED

    def _session(self, row: Row, own_pid: int) -> Session:
        ours = row.pid == own_pid or (row.user, row.database) in self.accounts
        return Session(
            pid=row.pid,
            owner=Owner.OURS if ours else Owner.OTHERS,
            # The probe itself is idle, but for now.
            state=SessionState.IDLE if row.pid == own_pid else row.state,
            state_seconds=row.state_seconds,
            transaction_seconds=None if row.pid == own_pid else row.transaction_seconds,
            waits_for=row.waits_for,
            blocked_by=row.blocked_by,
            user=row.user,
            application=row.application,
        )


def _counts(sessions: Mapping[int, Session]) -> dict[tuple[Owner, SessionState], int]:
    """How many of each kind, those of which there are none included."""
    counts = dict.fromkeys(((owner, state) for owner in Owner for state in SessionState), 0)
    for session in sessions.values():
        counts[session.owner, session.state] += 1
    return counts


def _longest(sessions: Mapping[int, Session]) -> dict[Owner, float]:
    longest = dict.fromkeys(Owner, 0.0)
    for session in sessions.values():
        age = session.transaction_seconds or 0.0
        longest[session.owner] = max(longest[session.owner], age)
    return longest
