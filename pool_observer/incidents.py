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

from pool_observer.explanation import ExplainedHold
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

TIMEOUTS_APART_NS = 60 * NANOSECONDS
"""At least so long lies between two reports of time-outs in the log."""


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


@dataclass(frozen=True, slots=True)
class _Pending:
    incident: Incident
    fields: LogFields


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
        self._last_timeout: tuple[Wait, str] | None = None
        self._timeouts_unsaid = 0
        self._timeouts_said_at: int | None = None
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
        """A caller has given up. May be called in the middle of a checkout.

        They come in crowds, and are one incident with those just before.
        """
        now, count = self._now(), 1
        holder: str | None = wait.holder
        with self._remembering:  # many may give up at a time
            before = self._remembered[-1] if self._remembered else None
            if (
                before is not None
                and before.kind is IncidentKind.TIMED_OUT
                and now - before.at < TIMEOUTS_APART_NS / NANOSECONDS
            ):
                self._remembered.pop()
                count += before.count
                holder = holder if before.holder == holder else None
            site = None if holder is None else wait.call_site
            self._remembered.append(
                Incident(IncidentKind.TIMED_OUT, now, summary, holder, site, wait.seconds, count)
            )
            self._last_timeout = wait, summary
            self._timeouts_unsaid += 1

    def _now(self) -> float:
        return self._wall_clock() / NANOSECONDS

    # -- told --------------------------------------------------------------------------------

    def recent(self) -> list[Incident]:
        """The last of them, the newest first."""
        return list(reversed(self._remembered.copy()))

    def tell(self, *, last: bool = False) -> None:
        """Log what has been put down since. With `last`, whatever is left."""
        if not self._telling.acquire(blocking=False):
            return  # somebody is at it
        try:
            self._tell_timeouts(last=last)
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

    def _tell_timeouts(self, *, last: bool) -> None:
        now, said_at = self._clock(), self._timeouts_said_at
        if said_at is not None and now - said_at < TIMEOUTS_APART_NS and not last:
            return
        with self._remembering:
            number, self._timeouts_unsaid = self._timeouts_unsaid, 0
            timeout = self._last_timeout
        if timeout is None or not number:
            return
        self._timeouts_said_at = now
        wait, summary = timeout
        self._log(
            IncidentKind.TIMED_OUT,
            f"{plural(number, 'checkout')} timed out, the last of {one_line(wait.holder)} after "
            f"{in_words(wait.seconds)}. Then:\n{summary}",
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
