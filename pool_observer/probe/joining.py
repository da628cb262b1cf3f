"""Joins the server's sessions with the pool's holds, by the PID that the driver knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pool_observer.model import NANOSECONDS
from pool_observer.probe.reading import Reading, Row
from pool_observer.server import Blocker, JoinedHold, Owner, Session, SessionState

Backends = Mapping[int, tuple[int, str]]
"""The open holds by their backend PID: what tells a hold from all others, and its holder."""

Account = tuple[str | None, str | None]
"""A role and a database."""

MOST_BLOCKERS = 20
"""Of one session that are named. A crowd that shares a lock is one thing to look at, not many."""

SAME_AGE = 1.0
"""Seconds by which two clocks may tell a session's age differently."""

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

    same_way: bool
    """Whether the probe is connected as the pool is."""
    accounts: set[Account] = field(default_factory=set)
    """Those that the pool's connections use."""
    _found: bool = False
    _missed: set[int] = field(default_factory=set)

    def join(
        self, reading: Reading, own_pid: int | None, before: Backends, after: Backends, now: int
    ) -> Joined:
        """Say whose session is whose.

        :param own_pid: the PID of the probe's own session, if the driver tells.
        :param before: the holds just before the look, at `now`; those that are the same `after`
            have been there all the while, and what the server says is about them.
        """
        rows = {row.pid: row for row in reading.rows}
        if self.same_way and reading.pid in rows:
            self.accounts.add(_account(rows[reading.pid]))
        steady = {pid: held for pid, held in after.items() if before.get(pid) == held}
        joined = {
            pid: (key, holder)
            for pid, (key, holder) in steady.items()
            if pid in rows and self._may_be_of(rows[pid], (now - key) / NANOSECONDS)
        }
        pooler = self._behind_pooler(reading, own_pid, bool(joined), steady.keys() - joined.keys())
        if pooler:
            joined = {}  # whoever has such a PID there is somebody else
        if not self.same_way:
            self.accounts.update(_account(rows[pid]) for pid in joined)
        sessions = {pid: self._session(row, reading.pid) for pid, row in rows.items()}
        blockers = {
            pid: _who_does_not_wait(pid, sessions)
            for pid, session in sessions.items()
            if session.blocked_by
        }
        blocks = Counter(by for each in blockers.values() for by in each)

        def blocker(pid: int) -> Blocker:
            key, holder = joined.get(pid, (None, None))
            return Blocker(pid, holder, sessions.get(pid), key)

        return Joined(
            sessions=_counts(sessions),
            longest_transaction=_longest(sessions),
            pooler=pooler,
            holds=tuple(
                JoinedHold(
                    key,
                    holder,
                    sessions[pid],
                    tuple(blocker(by) for by in blockers.get(pid, ())[:MOST_BLOCKERS]),
                    blocks[pid],
                    now,
                )
                for pid, (key, holder) in joined.items()
            ),
        )

    def _may_be_of(self, row: Row, hold_seconds: float) -> bool:
        """Whether a session of this PID can be that of a hold of this age.

        Where the server has ended one, another client may have its PID by now.
        """
        if row.age_seconds is not None and row.age_seconds < hold_seconds - SAME_AGE:
            return False
        return not self.same_way or not self.accounts or _account(row) in self.accounts

    def _behind_pooler(
        self, reading: Reading, own_pid: int | None, found: bool, missed: set[int]
    ) -> bool:
        if self.same_way and own_pid is not None:
            return own_pid != reading.pid
        # Connected in another way than the pool is, only its holds can tell.
        self._found = self._found or found
        self._missed = set() if self._found else self._missed | missed
        return len(self._missed) >= MISSED

    def _session(self, row: Row, own_pid: int) -> Session:
        ours = row.pid == own_pid or _account(row) in self.accounts
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


def _account(row: Row) -> Account:
    return row.user, row.database


def _who_does_not_wait(pid: int, sessions: Mapping[int, Session]) -> tuple[int, ...]:
    """Those at the head of the queue that a session is in: the others wait like itself.

    The server names whoever is before it, in the queue too. Where they wait for each other in a
    circle, it is they.
    """
    heads: dict[int, None] = {}
    seen = {pid}
    ahead = list(sessions[pid].blocked_by)
    while ahead:
        by = ahead.pop(0)
        if by in seen:
            continue
        seen.add(by)
        session = sessions.get(by)
        if session is None or not session.blocked_by:
            heads[by] = None
        else:
            ahead += session.blocked_by
    return tuple(heads) or tuple(dict.fromkeys(sessions[pid].blocked_by))


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
