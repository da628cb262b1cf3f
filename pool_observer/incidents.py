"""What has gone wrong with a pool: told to the log, and kept for the live page.

Incidents are put down where they are found, which may be in the middle of a checkout, and
told by the watchdog a moment later: a log's handler may be slow, or want a connection itself.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pool_observer.explanation import BlockedLoop, ExplainedHold
from pool_observer.metric import POOL_LABEL
from pool_observer.model import NANOSECONDS, CallSite, Ending, Hold, Wait
from pool_observer.recording import LogFields, fields_of_hold, fields_of_wait
from pool_observer.summary import details
from pool_observer.wording import in_words, one_line, plural

logger = logging.getLogger("pool_observer.incidents")

REMEMBERED = 100
"""Incidents that the live page can show."""

MOST_AT_A_TIME = 20
"""Incidents of a kind logged one by one in a second; of more than that, how many there were."""

MOST_PENDING = 10_000
"""Incidents that may wait for the watchdog, which comes every second."""

CROWDS_APART_NS = 60 * NANOSECONDS
"""At least so long lies between two reports of time-outs, or of failures, in the log."""


class IncidentKind(StrEnum):
    """What can go wrong."""

    OVERDUE = "overdue"
    """A connection is out for longer than its limit."""
    RETURNED = "returned"
    """One that was overdue has come back after all."""
    LOST = "lost"
    """A connection was dropped without being returned."""
    TIMED_OUT = "timed_out"
    """Callers have given up waiting for one."""
    FAILED = "failed"
    """Connections could not be opened."""
    LOOP_BLOCKED = "loop_blocked"
    """An event loop has not run what was due."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that has gone wrong."""

    kind: IncidentKind
    at: float
    """Unix time."""
    text: str
    holder: str | None
    """On whose behalf; None of several."""
    call_site: CallSite | None
    seconds: float | None
    """How long the hold had lasted then, or the caller had waited."""
    count: int = 1
    since: float | None = None
    """Unix time of the first, where there are several."""


@dataclass(frozen=True, slots=True)
class _Pending:
    incident: Incident
    fields: LogFields


@dataclass(slots=True)
class _Crowd:
    """Incidents of a kind that come in crowds, and are logged once in a while."""

    unsaid: int = 0
    said_at: int | None = None
    last: tuple[Wait, str] | None = None


class Incidents:
    """The incidents of one pool."""

    def __init__(self, pool: str, clock: Callable[[], int], wall_clock: Callable[[], int]) -> None:
        self._pool = pool
        self._clock = clock
        self._wall_clock = wall_clock
        self._begin()

    def _begin(self) -> None:
        self._pending: deque[_Pending] = deque(maxlen=MOST_PENDING)
        self._remembered: deque[Incident] = deque(maxlen=REMEMBERED)
        self._more: Counter[IncidentKind] = Counter()
        self._crowds = {kind: _Crowd() for kind in (IncidentKind.TIMED_OUT, IncidentKind.FAILED)}
        self._telling = threading.Lock()
        self._remembering = threading.RLock()

    # -- put down ----------------------------------------------------------------------------

    def add(self, kind: IncidentKind, held: ExplainedHold) -> None:
        """Something has gone wrong with a hold."""
        hold = held.hold
        text = _IN_WORDS[kind](held)
        incident = Incident(kind, self._now(), text, hold.holder, hold.call_site, hold.seconds)
        with self._remembering:
            self._remembered.append(incident)
        self._pending.append(_Pending(incident, fields_of_hold(held)))

    def add_more(self, kind: IncidentKind, number: int) -> None:
        """The same with so many more, which nobody has looked into."""
        self._more[kind] += number

    def timed_out(self, wait: Wait, summary: str) -> None:
        """A caller has given up. May be called in the middle of a checkout."""
        self._add_to_crowd(IncidentKind.TIMED_OUT, wait, summary)

    def failed(self, wait: Wait, error: str) -> None:
        """No connection could be opened for a caller, because of an exception of this type."""
        text = f"no connection could be opened for {one_line(wait.holder)}: {one_line(error)}"
        self._add_to_crowd(IncidentKind.FAILED, wait, text)

    def _add_to_crowd(self, kind: IncidentKind, wait: Wait, text: str) -> None:
        """They are one incident with those just before."""
        now, since, count = self._now(), None, 1
        holder: str | None = wait.holder
        with self._remembering:  # many may give up at a time
            before = self._remembered[-1] if self._remembered else None
            if (
                before is not None
                and before.kind is kind
                and now - before.at < CROWDS_APART_NS / NANOSECONDS
            ):
                self._remembered.pop()
                since = before.at if before.since is None else before.since
                count += before.count
                holder = holder if before.holder == holder else None
            site = None if holder is None else wait.call_site
            self._remembered.append(
                Incident(kind, now, text, holder, site, wait.seconds, count, since)
            )
            crowd = self._crowds[kind]
            crowd.last = wait, text
            crowd.unsaid += 1

    def loop_blocked(self, loop: BlockedLoop) -> None:
        """An event loop that was blocked runs again."""
        by = "" if loop.standing is None else f": {loop.standing}"
        text = one_line(f"an event loop was blocked for {in_words(loop.seconds)} or more{by}")
        site = None if loop.standing is None else loop.standing.at
        kind = IncidentKind.LOOP_BLOCKED
        incident = Incident(kind, self._now(), text, None, site, loop.seconds)
        with self._remembering:
            self._remembered.append(incident)
        fields: LogFields = {"pool_observer.seconds": loop.seconds, POOL_LABEL: self._pool}
        self._pending.append(_Pending(incident, fields))

    def _now(self) -> float:
        return self._wall_clock() / NANOSECONDS

    @property
    def has_something_to_tell(self) -> bool:
        """Whether anything waits to be logged."""
        return bool(self._pending or self._more) or any(
            crowd.unsaid for crowd in self._crowds.values()
        )

    # -- told --------------------------------------------------------------------------------

    def recent(self) -> list[Incident]:
        """The last of them, the newest first."""
        return list(reversed(self._remembered.copy()))

    def tell(self, *, last: bool = False) -> None:
        """Log what has been put down since. With `last`, whatever is left."""
        if not self._telling.acquire(blocking=False):
            return  # somebody is at it
        try:
            for kind, crowd in self._crowds.items():
                self._tell_of_crowd(kind, crowd, last=last)
            self._tell_pending()
        finally:
            self._telling.release()

    def _tell_pending(self) -> None:
        told: Counter[IncidentKind] = Counter()
        while self._pending:
            pending = self._pending.popleft()
            kind = pending.incident.kind
            told[kind] += 1
            if told[kind] <= MOST_AT_A_TIME:
                self._log(kind, pending.incident.text, pending.fields)
        for kind in IncidentKind:
            more = max(0, told[kind] - MOST_AT_A_TIME) + self._more.pop(kind, 0)
            if more:
                text = f"{kind.value}: {plural(more, 'more connection')}"
                self._log(kind, text, {"pool_observer.count": more})

    def _tell_of_crowd(self, kind: IncidentKind, crowd: _Crowd, *, last: bool) -> None:
        now = self._clock()
        if crowd.said_at is not None and now - crowd.said_at < CROWDS_APART_NS and not last:
            return
        with self._remembering:
            number, crowd.unsaid = crowd.unsaid, 0
            example = crowd.last
        if example is None or not number:
            return
        crowd.said_at = now
        wait, text = example
        what = "timed out" if kind is IncidentKind.TIMED_OUT else "failed"
        self._log(
            kind,
            f"{plural(number, 'checkout')} {what}, the last of {one_line(wait.holder)} after "
            f"{in_words(wait.seconds)}. Then:\n{text}",
            fields_of_wait(wait) | {"pool_observer.count": number},
        )

    def _log(self, kind: IncidentKind, text: str, fields: LogFields) -> None:
        level = logging.INFO if kind is IncidentKind.RETURNED else logging.WARNING
        fields = {"pool_observer.incident": kind.value, **fields}
        logger.log(level, 'pool "%s": %s', self._pool, text, extra=fields)

    def reset_after_fork(self) -> None:
        """What has happened in the parent is the parent's to tell."""
        self._begin()


def _overdue(held: ExplainedHold) -> str:
    hold = held.hold
    since = "has held" if hold.ending is None else f"({_ending(hold)} by now) held"
    text = (
        f"{one_line(hold.holder)} {since} a connection for {in_words(hold.seconds)}, longer than "
        f"{in_words(hold.limit_seconds)}{_taken(hold)}"
    )
    if hold.ending is not None:
        return text
    return "\n".join([text, *(f"  {one_line(line)}" for line in details(held))])


def _returned(held: ExplainedHold) -> str:
    hold = held.hold
    return (
        f"{one_line(hold.holder)} was overdue, {_ending(hold)} after {in_words(hold.seconds)}"
        f"{_taken(hold)}"
    )


def _lost(held: ExplainedHold) -> str:
    hold = held.hold
    lines = [f"{one_line(hold.holder)} lost a connection after {in_words(hold.seconds)}"]
    lines[0] += _taken(hold)
    if held.diagnosis is not None:
        lines += [f"  {held.diagnosis.text}", f"  -> {held.diagnosis.mend}"]
    return "\n".join(lines)


_IN_WORDS: dict[IncidentKind, Callable[[ExplainedHold], str]] = {
    IncidentKind.OVERDUE: _overdue,
    IncidentKind.RETURNED: _returned,
    IncidentKind.LOST: _lost,
}


def _taken(hold: Hold) -> str:
    return "" if hold.call_site is None else f"; taken at {hold.call_site}"


def _ending(hold: Hold) -> str:
    return {Ending.DETACHED: "detached", Ending.LOST: "lost"}.get(
        hold.ending or Ending.CHECKIN, "returned"
    )
