"""What `top` says of an address, and of processes behind it, that do not answer."""

from __future__ import annotations

from pool_observer.terminal.asking import PATIENCE
from pool_observer.terminal.faults import BLOCKED
from pool_observer.terminal.fitting import flowing, tame
from pool_observer.terminal.seen import Heard, Seen
from pool_observer.terminal.styling import Line, Style, line
from pool_observer.wording import in_words

MOST_NAMED = 5
"""Processes that are named by their pids."""


def silence(seen: Seen, now: float, columns: int) -> list[Line]:
    """That nobody answers, and who is not met while others answer."""
    said = [
        (_nobody_answers(seen, now), Style.TROUBLE),
        (_not_met(seen.missed, now), Style.ATTENTION),
    ]
    return [
        line((part, style))
        for text, style in said
        for part in flowing(map(tame, text.split()), max(columns, 1))  # it may be a long sentence
    ]


def _nobody_answers(seen: Seen, now: float) -> str:
    since = in_words(now - seen.last)
    if seen.trouble is not None:
        return f"no answer for {since}, asking on: {seen.trouble}"
    asked = seen.asking_since
    if asked is None or asked < seen.last or now - asked < PATIENCE:
        return ""  # or others have answered since
    return f"no answer for {since}: {BLOCKED}"


def _not_met(missed: list[Heard], now: float) -> str:
    if not missed:
        return ""
    pids = ", ".join(str(each.answer.pid) for each in missed[:MOST_NAMED])
    more = ", ..." if len(missed) > MOST_NAMED else ""
    since = in_words(min(now - each.at for each in missed))
    which, longer = ("pids", " or longer") if len(missed) > 1 else ("pid", "")
    return (
        f"{_processes(len(missed))} ({which} {pids}{more}) not met for {since}{longer}: ended, or "
        "blocked"
    )


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"
