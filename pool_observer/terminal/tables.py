"""The lower part of `top`: who holds connections and who waits, as far as there is room for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.fitting import wrapped
from pool_observer.terminal.groups import Holders, Order, Waiters, holders, waiters
from pool_observer.terminal.styling import Line, line
from pool_observer.terminal.table import (
    Columns,
    columns,
    holders_details,
    holders_header,
    holders_row,
    waiters_header,
    waiters_row,
)
from pool_observer.wording import plural

TIGHT = 5
"""Lines below which there is no room but for holders, and none for a header over many."""

TIGHT_FOR_BOTH = 8
"""Lines below which there is no room for who waits: the headings say how many."""


def tables(pools: Sequence[PoolNow], order: Order, total: int, height: int | None) -> list[Line]:
    """As many lines as there is room for; all of them, if `height` is None."""
    holding, waiting = holders(pools, order), waiters(pools)
    names = len({pool.name for pool in pools})
    wide = columns(total, [*holding, *waiting], pools=names)
    lower = _untold(pools, total) if height is None or height >= TIGHT else []
    if height is None or height >= TIGHT_FOR_BOTH or not holding:
        lower += _waiting(waiting, wide, height)
    return _holding(holding, wide, None if height is None else height - len(lower)) + lower


def _untold(pools: Sequence[PoolNow], columns: int) -> list[Line]:
    """Connections that no row is about."""
    left_out = sum(pool.explanation.holds_left_out for pool in pools)
    unseen = sum(pool.explanation.unseen for pool in pools)
    said = []
    if left_out:
        said.append(f"{plural(left_out, 'more connection')} held, none of them for longer")
    if unseen:
        said.append(f"{plural(unseen, 'connection')} held since before they were observed")
    return [line(part) for each in said for part in wrapped(each, max(columns, 1))]


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
    height = sys.maxsize if height is None else height
    has_frame = groups and height >= min(TIGHT, len(groups) + 2)
    said = [line(), holders_header(wide)] if has_frame else []
    most = max(height - len(said), 0)
    shown, hidden = groups[:most], groups[most:]
    spare = most - len(shown)
    for group in shown:
        details = holders_details(group, wide, spare)
        spare -= len(details)
        said += [holders_row(group, wide), *details]
    if hidden and len(shown) > 1:
        count = sum(len(group.holds) for group in hidden)
        said[-1:] = [line(f"{count + len(shown[-1].holds):>4}  held by others")]
    return said
