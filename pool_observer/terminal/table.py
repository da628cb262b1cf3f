"""The lower part of `top`: who holds connections and who waits, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pool_observer.model import Activity, CallSite
from pool_observer.summary import Explanation
from pool_observer.terminal.fitting import cut, cut_left, padded, tame, told_apart, width, wrapped
from pool_observer.terminal.groups import Holders, Waiters
from pool_observer.terminal.styling import Line, Style, line
from pool_observer.wording import in_words

INDENT = 6
MEND = "->"
WIDE = 64
"""Columns from which on there is room for the line that took a connection."""
MIDDLING = 50
"""Columns from which on there is room for what connections are used for."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the names are, and how much there is beside them."""

    total: int
    pool: int
    """0 while there is one pool only."""
    holder: int
    site: int
    names: Mapping[str, str] = field(default_factory=dict)
    """Of pools, as they fit."""

    @property
    def detailed(self) -> bool:
        return self.total >= MIDDLING


def columns(total: int, groups: Sequence[Holders | Waiters], *, pools: int) -> Columns:
    """What is left after the figures, shared out by what there is to show."""
    names = [(tame(each.pool), tame(_holder(each)), tame(_site(each))) for each in groups]
    widest = [max((width(name[column]) for name in names), default=0) for column in range(3)]
    left = max(total - width(_figures("", "", "", detailed=total >= MIDDLING)), 1)
    pool = 0
    if pools > 1:
        spare = left - widest[1] - 2 - widest[2] if total >= WIDE else 0
        pool = min(max(widest[0], 4) + 2, max(left // (4 if total >= WIDE else 3), spare))
    left -= pool
    shown = told_apart((name[0] for name in names), pool - 2) if pool > 2 else {}
    if total < WIDE:
        return Columns(total, pool, left, 0, shown)
    holder = max(min(widest[1], left - min(widest[2], left // 2) - 2), len("HOLDER"))
    return Columns(total, pool, holder, left - holder - 2, shown)


def _figures(count: str, detail: str, age: str, *, detailed: bool) -> str:
    return f"{count:>4}  {f'{detail:<16}' if detailed else ''}{age:>9}  "


def _doing(executing: object, in_transaction: object, idle: object) -> str:
    return f"{executing:>4}{in_transaction:>6}{idle:>6}"


def holders_header(wide: Columns) -> Line:
    return _header("CONN", _doing("EXEC", "TRANS", "IDLE"), "LONGEST", "TAKEN AT", wide)


def waiters_header(wide: Columns) -> Line:
    return _header("WAIT", "STAGE", "FIRST", "ASKED AT", wide)


def _header(count: str, detail: str, age: str, site: str, wide: Columns) -> Line:
    figures = _figures(count, detail, age, detailed=wide.detailed)
    names = _names("POOL", "HOLDER", site, wide)
    return line((padded(figures + names, wide.total), Style.HEADER))


def holders_row(group: Holders, wide: Columns) -> Line:
    """One line, and the longest hold's age in it."""
    counts = [group.doing[activity] or "" for activity in Activity]
    count, age = str(len(group.holds)), in_words(group.longest.seconds)
    figures = _figures(count, _doing(*counts), age, detailed=wide.detailed)
    return line(
        (figures, Style.STRONG if group.longest.overdue else Style.PLAIN),
        _names(group.pool, _holder(group), _site(group), wide),
    )


def holders_details(group: Holders, wide: Columns, room: int) -> list[Line]:
    """Where they stand, what is wrong and what mends it, in the words of `explain()`.

    Where there is no room for all of that, what mends it, or nothing.
    """
    explained = _explained(group)
    for said in (explained, [each for each in explained if each.startswith(MEND)]):
        lines = [detail for each in said for detail in _detail(each, wide)]
        if len(lines) <= room:
            return lines
    return []


def _detail(said: str, wide: Columns) -> list[Line]:
    style = Style.STRONG if said.startswith(MEND) else Style.PLAIN
    parts = wrapped(tame(said), max(wide.total - INDENT, 1))
    return [line(" " * INDENT, (part, style)) for part in parts]


def _explained(group: Holders) -> list[str]:
    alone = Explanation(
        group.pool, len(group.holds), max=None, unseen=0, waiting=0, holds=group.holds, waits=()
    )
    _pool, _group, *said = str(alone).splitlines()
    return [each.strip() for each in said]


def waiters_row(group: Waiters, wide: Columns) -> Line:
    wait = group.first
    stage = "queue, holds one" if wait.nested_in is not None else wait.stage.value
    figures = _figures(str(group.count), stage, in_words(wait.seconds), detailed=wide.detailed)
    return line(figures, _names(group.pool, _holder(group), _site(group), wide))


def _names(pool: str, holder: str, site: str, wide: Columns) -> str:
    name = wide.names.get(tame(pool), pool)
    shown = padded(f"{cut(tame(name), wide.pool - 2)}  ", wide.pool) if wide.pool else ""
    shown += padded(tame(holder), wide.holder)
    return f"{shown}  {_placed(tame(site), wide.site)}" if wide.site else shown


def _placed(site: str, room: int) -> str:
    """Of a place, the line says most: the function goes first, then folders."""
    file = site.rpartition(" in ")[0]
    if width(site) <= room or not file:
        return cut(site, room)
    return cut_left(file, room)


def _holder(group: Holders | Waiters) -> str:
    return group.longest.holder if isinstance(group, Holders) else group.first.holder


def _site(group: Holders | Waiters) -> str:
    site: CallSite | None = (
        group.longest.call_site if isinstance(group, Holders) else group.first.call_site
    )
    return "" if site is None else str(site)
