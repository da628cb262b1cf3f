"""The headings of all pools, as far as there is room for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.fitting import tame, told_apart, width
from pool_observer.terminal.heading import Whose, beside_name, pool_line, pool_lines, pool_sentence
from pool_observer.terminal.styling import Line, line
from pool_observer.wording import plural

Told = tuple[PoolNow, Whose]


def headings(told: Sequence[Told], columns: int, height: int | None, left: int) -> list[Line]:
    """All of them in half of the height, at most; without bars, in two thirds of what is left.

    If that is not enough, in a sentence or in a line each, or only those in trouble.

    :param left: lines that there are below what has been said already.
    """
    named = _named(told, [columns - width(whose.source) - 2 for _, whose in told])
    half, more = (sys.maxsize,) * 2 if height is None else (height // 2, max(left * 2 // 3, 1))
    ways: list[tuple[Callable[[PoolNow, Whose], list[Line]], int]] = [
        (lambda pool, whose: pool_lines(pool, whose, columns, bar=True), min(half, more)),
        (lambda pool, whose: pool_lines(pool, whose, columns, bar=False), more),
        (lambda pool, whose: pool_sentence(pool, whose, columns), more),
    ]
    for way, most in ways:
        said = [each for pool, whose in named for each in way(pool, whose)]
        if len(said) <= most:
            return said
    return _short(told, columns, max(min(half, left - 1), 1))


def _short(told: Sequence[Told], columns: int, most: int) -> list[Line]:
    named = _named(told, [max(columns - beside_name(*each), columns // 3) for each in told])
    if len(named) <= most:
        return [pool_line(pool, whose) for pool, whose in named]
    order = sorted(range(len(named)), key=lambda number: not _is_urgent(*named[number]))
    shown = sorted(order[: most - 1])
    more = plural(len(named) - len(shown), "more pool")
    return [*(pool_line(*named[number]) for number in shown), line(f"{more}, not shown here")]


def _named(told: Sequence[Told], rooms: Sequence[int]) -> list[Told]:
    """With names that fit into the least of these rooms, and are told apart."""
    names = told_apart((tame(pool.name) for pool, _ in told), max(min(rooms, default=1), 1))
    return [(pool, replace(whose, name=names[tame(pool.name)])) for pool, whose in told]


def _is_urgent(pool: PoolNow, whose: Whose) -> bool:
    return pool.in_trouble or whose.silent_for is not None
