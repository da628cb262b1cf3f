"""The upper part of `top`: each pool as a bar and a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pool_observer.model import Activity
from pool_observer.server import ServerState
from pool_observer.terminal import saying
from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.fitting import cut_left, flowing, tame, width, wrapped
from pool_observer.terminal.styling import Line, Style, line
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words

MARKS = {
    Activity.EXECUTING: ("#", Style.EXECUTING),
    Activity.IN_TRANSACTION: ("=", Style.IN_TRANSACTION),
    Activity.IDLE: ("-", Style.IDLE),
}
"""A connection in the bar: told apart by more than a colour."""

NOT_LISTED = "+"
UNKNOWN = "?"
FREE = "."
SHORTEST_BAR, LONGEST_BAR = 10, 40


@dataclass(frozen=True, slots=True)
class Whose:
    """Which process a pool is of, and for how long that has not answered, if others have."""

    source: str = ""
    silent_for: float | None = None
    name: str = ""
    """The pool's, as it fits."""


def pool_lines(pool: PoolNow, whose: Whose, columns: int, *, bar: bool) -> list[Line]:
    """How full it is, as a sentence and as a bar, and what there is to say in addition."""
    said = _sentence(_headline(pool, whose), pool, whose, columns)
    if whose.silent_for is not None:
        return said  # what else it said is of the past
    return [*said, *([_bar(pool, columns)] if bar else []), *_notes(pool, columns)]


def pool_sentence(pool: PoolNow, whose: Whose, columns: int) -> list[Line]:
    """Only what matters most."""
    return _sentence(_brief(pool, whose), pool, whose, columns)


def pool_line(pool: PoolNow, whose: Whose) -> Line:
    """The same in a line, which may be cut."""
    brief, style = _brief(pool, whose), _style(pool, whose)
    return line((f"{whose.name}{whose.source}", Style.STRONG), ": ", (brief, style))


def beside_name(pool: PoolNow, whose: Whose) -> int:
    """The columns that all of the line takes but for the name."""
    return width(pool_line(pool, replace(whose, name="")).text)


def _sentence(said: str, pool: PoolNow, whose: Whose, columns: int) -> list[Line]:
    """In as many lines as it takes."""
    style = _style(pool, whose)
    label = cut_left(tame(f"{whose.name}{whose.source}"), max(columns - 1, 1))
    first, *more = flowing([f"{label}:", *tame(said).split()], columns)
    beside = first[len(label) + 2 :]
    rest = wrapped(" ".join(more), max(columns - 2, 1))
    return [
        line((label, Style.STRONG), ": " if beside else ":", (beside, style)),
        *(line("  ", (part, style)) for part in rest),
    ]


def _headline(pool: PoolNow, whose: Whose) -> str:
    headline = pool.explanation.headline()
    if whose.silent_for is None:
        return headline
    return f"no answer for {in_words(whose.silent_for)}, before that {headline}"


def _brief(pool: PoolNow, whose: Whose) -> str:
    """The headline, where there is no room for what else is wrong."""
    blocked = max((each.seconds for each in pool.explanation.blocked_loops), default=None)
    if blocked is None or whose.silent_for is not None:
        return _headline(pool, whose)
    return f"event loop blocked for {in_words(blocked)}, {_headline(pool, whose)}"


def _notes(pool: PoolNow, columns: int) -> Iterator[Line]:
    for loop in pool.explanation.blocked_loops:
        where = "" if loop.standing is None else f": {loop.standing}"
        blocked = f"the event loop has been blocked for {in_words(loop.seconds)}{where}"
        yield from _wrapped(blocked, Style.TROUBLE, columns)
    for note in saying.notes(pool):
        yield from _wrapped(note, Style.ATTENTION, columns)
    if pool.server is not None:
        said = next(saying.server(pool.server))
        style = Style.ATTENTION if _is_crowded(pool.server) else Style.PLAIN
        yield from _wrapped(said, style, columns)


def _wrapped(said: str, style: Style, columns: int) -> Iterator[Line]:
    for part in wrapped(tame(said), max(columns - 2, 1)):
        yield line("  ", (part, style))


def _is_crowded(server: ServerState) -> bool:
    most = server.limits.max_connections
    return not server.up or (
        most is not None
        and server.total >= Thresholds().server_used_ratio * (most - server.limits.reserved)
    )


def _style(pool: PoolNow, whose: Whose) -> Style:
    if pool.in_trouble or whose.silent_for is not None:
        return Style.TROUBLE
    return Style.ATTENTION if pool.is_tight else Style.PLAIN


def _bar(pool: PoolNow, columns: int) -> Line:
    """A mark for each connection, or for each few of them, and how many do what."""
    explanation = pool.explanation
    doing = Counter(held.hold.activity for held in explanation.holds)
    not_told = max(0, explanation.used - doing.total())
    left_out = min(explanation.holds_left_out, not_told)
    parts = [
        *((*MARKS[each], each.value.replace("_", " "), doing[each]) for each in Activity),
        (NOT_LISTED, Style.PLAIN, "not listed", left_out),
        (UNKNOWN, Style.PLAIN, "not known", not_told - left_out),
        (FREE, Style.PLAIN, "free", pool.idle),
    ]
    legend: list[str | tuple[str, Style]] = []
    for mark, style, words, count in parts:
        if count:
            legend += ["  ", (mark, style), f" {count} {words}"]
    most = max(explanation.max or 0, explanation.used + pool.idle)
    room = columns - len("  []") - width(line(*legend).text)
    length = min(most, max(room, SHORTEST_BAR), LONGEST_BAR)
    pieces: list[str | tuple[str, Style]] = []
    drawn = counted = 0
    for mark, style, _, count in parts:
        counted += count
        upto = round(counted * length / most) if most else 0
        pieces.append((mark * (upto - drawn), style))
        drawn = upto
    bar = line("  [", *pieces, " " * (length - drawn), "]", *legend)
    late = "" if pool.loop_lag is None else f"  loop {in_words(pool.loop_lag)} late"
    return bar if width(bar.text + late) > columns else Line((*bar.pieces, (late, Style.PLAIN)))
