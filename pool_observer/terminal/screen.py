"""All of `top` as lines: what of it there is room for, or all of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.fitting import tame, width, wrapped
from pool_observer.terminal.groups import Holders, Order, Waiters, holders, waiters
from pool_observer.terminal.heading import pool_lines
from pool_observer.terminal.seen import Heard, Seen
from pool_observer.terminal.styling import Line, Style, line
from pool_observer.terminal.table import (
    Columns,
    columns,
    holders_details,
    holders_header,
    holders_row,
    waiters_header,
    waiters_row,
)
from pool_observer.wording import in_words, plural

OLD_AFTER = 5.0
"""Seconds after which it is said how old the figures of a process are."""


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
    shown = [_title(heard, wanted, total)]
    if seen.trouble is not None:
        since = in_words(now - seen.trouble_since)
        said = tame(f"no answer for {since}, asking on: {seen.trouble}")
        shown += [line((each, Style.TROUBLE)) for each in wrapped(said, total)]
    pools = [(each, pool) for each in heard for pool in each.answer.of(wanted.pool)]
    headings = [
        list(pool_lines(pool, _source(each, heard) + _age(each, now), total))
        for each, pool in pools
    ]
    shown += _fitting(headings, [pool for _, pool in pools], height)
    if heard and not pools:
        shown.append(line(_nothing(wanted)))
    if pools and not any(pool.explanation.used or pool.explanation.waiting for _, pool in pools):
        shown.append(line("nobody holds a connection"))
    elif pools:
        shown += _tables([pool for _, pool in pools], wanted, total, _left(height, shown))
    return [each.cut(total) for each in shown[:height]]


def _left(height: int | None, shown: Sequence[Line]) -> int | None:
    return None if height is None else max(height - len(shown), 0)


def _fitting(headings: list[list[Line]], pools: list[PoolNow], height: int | None) -> list[Line]:
    """All of them in half of the room, at most: in a line each, or only those in trouble."""
    most = sys.maxsize if height is None else max(height // 2, 1)
    if sum(map(len, headings)) <= most:
        return [each for heading in headings for each in heading]
    if len(headings) <= most:
        return [heading[0] for heading in headings]
    order = sorted(range(len(pools)), key=lambda number: not pools[number].in_trouble)
    shown = sorted(order[: most - 1])
    more = plural(len(pools) - len(shown), "more pool")
    return [*(headings[number][0] for number in shown), line(f"{more}, not shown here")]


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


def _age(heard: Heard, now: float) -> str:
    age = now - heard.at
    return f", {in_words(age)} ago" if age >= OLD_AFTER else ""


def _tables(pools: Sequence[PoolNow], wanted: Wanted, total: int, height: int | None) -> list[Line]:
    holding, waiting = holders(pools, wanted.order), waiters(pools)
    names = len({pool.name for pool in pools})
    wide = columns(total, [*holding, *waiting], pools=names)
    lower = _untold(pools) + _waiting(waiting, wide, height)
    return _holding(holding, wide, _left(height, lower)) + lower


def _untold(pools: Sequence[PoolNow]) -> list[Line]:
    """Connections that no row is about."""
    left_out = sum(pool.explanation.holds_left_out for pool in pools)
    unseen = sum(pool.explanation.unseen for pool in pools)
    said = []
    if left_out:
        said.append(line(f"{plural(left_out, 'more connection')} held, none of them for longer"))
    if unseen:
        said.append(line(f"{plural(unseen, 'connection')} held since before they were observed"))
    return said


def _waiting(groups: list[Waiters], wide: Columns, height: int | None) -> list[Line]:
    """At most a third of the room: what is to be mended is with those who hold."""
    if not groups:
        return []
    most = len(groups) if height is None else max(1, height // 3 - 2)
    rows = [waiters_row(group, wide) for group in groups[:most]]
    more = sum(group.count for group in groups[most:])
    if more:
        rows[-1:] = [line(f"{more + groups[most - 1].count:>4}  others")]
    return [line(), waiters_header(wide), *rows]


def _holding(groups: list[Holders], wide: Columns, height: int | None) -> list[Line]:
    """A row for each group, and what there is room for of their details, from the top on."""
    if not groups:
        return []
    most = len(groups) if height is None else max(height - 2, 1)
    shown, hidden = groups[:most], groups[most:]
    spare = sys.maxsize if height is None else height - 2 - len(shown)
    said = [line(), holders_header(wide)]
    for group in shown:
        details = holders_details(group, wide, spare)
        spare -= len(details)
        said += [holders_row(group, wide), *details]
    if hidden:
        count = sum(len(group.holds) for group in hidden)
        said[-1:] = [line(f"{count + len(shown[-1].holds):>4}  held by others")]
    return said
