"""All of `top` as lines: what of it there is room for, or all of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pool_observer.terminal.fitting import width
from pool_observer.terminal.groups import Order
from pool_observer.terminal.heading import Whose
from pool_observer.terminal.headings import headings
from pool_observer.terminal.seen import SILENT_AFTER, Heard, Seen
from pool_observer.terminal.silence import silence
from pool_observer.terminal.styling import Line, Style, line
from pool_observer.terminal.tables import tables
from pool_observer.wording import in_words

OLD_AFTER = 5.0
"""Seconds after which figures of a process are old, if others have said more since: their age is
told, and their holds are no longer counted among those of now."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants to see."""

    address: str
    pool: str | None = None
    """Only the pools of this name."""
    order: Order = Order.CONNECTIONS


def lines(seen: Seen, wanted: Wanted, now: float, total: int, height: int | None) -> list[Line]:
    """As many as there is room for; all of them, if `height` is None."""
    heard = seen.heard
    most = None if height is None else max(height // 3, 1)
    shown = [_title(heard, wanted, total), *silence(seen, now, total)[:most]]
    told = [(each, pool) for each in heard for pool in each.answer.of(wanted.pool)]
    room = sys.maxsize if height is None else height - len(shown)
    named = [(pool, _whose(each, seen, now)) for each, pool in told]
    shown += headings(named, total, height, room)
    if heard and not told:
        shown.append(line(_nothing(wanted)))
    busy = any(pool.explanation.used or pool.explanation.waiting for _, pool in told)
    if told and not busy and not seen.missed:
        shown.append(line("nobody holds a connection"))
    recent = [pool for each, pool in told if seen.behind(each) < OLD_AFTER]
    shown += tables(recent, wanted.order, total, _left(height, shown))
    return [each.cut(total) for each in shown[:height]]


def _left(height: int | None, shown: Sequence[Line]) -> int | None:
    return None if height is None else max(height - len(shown), 0)


def _nothing(wanted: Wanted) -> str:
    if wanted.pool is None:
        return "no pool is observed there"
    return f'there is no pool "{wanted.pool}"; see them all without --pool'


def _title(heard: list[Heard], wanted: Wanted, total: int) -> Line:
    if len(heard) == 1:
        who = f"process {heard[0].answer.pid}"
    else:
        who = f"{len(heard)} processes" if heard else "asking"
    newest = max(heard, key=lambda each: each.at, default=None)
    clock = "" if newest is None else time.strftime("%H:%M:%S", time.localtime(newest.answer.at))
    right = f"  {who}  {clock}"
    left = line(f"pool-observer top  {wanted.address}").cut(max(total - width(right), 0)).text
    gap = " " * (total - width(left) - width(right))
    return line((left + gap + right, Style.STRONG))


def _source(one: Heard, heard: list[Heard]) -> str:
    """Whose pool it is, where there are several processes."""
    if len(heard) == 1:
        return ""
    alike = sum(each.answer.pid == one.answer.pid for each in heard)
    told_apart = "" if alike == 1 else f" ({one.answer.process[:6]})"
    return f" of {one.answer.pid}{told_apart}"


def _whose(one: Heard, seen: Seen, now: float) -> Whose:
    """How old it is, or that it is in trouble."""
    source, age = _source(one, seen.heard), now - one.at
    if seen.missing(one) >= SILENT_AFTER:
        return Whose(source, age)
    return Whose(f"{source}, {in_words(age)} ago" if seen.behind(one) >= OLD_AFTER else source)
