"""The upper part of `top`: each pool as a bar and a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pool_observer.model import Activity
from pool_observer.server import ServerState
from pool_observer.terminal import saying
from pool_observer.terminal.answer import PoolNow
from pool_observer.terminal.fitting import cut, tame, width, wrapped
from pool_observer.terminal.styling import Line, Style, line
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words

MARKS = {
    Activity.EXECUTING: ("#", Style.EXECUTING),
    Activity.IN_TRANSACTION: ("=", Style.IN_TRANSACTION),
    Activity.IDLE: ("-", Style.IDLE),
}
"""A connection in the bar: told apart by more than a colour."""

UNKNOWN = "?"
FREE = "."
SHORTEST_BAR, LONGEST_BAR = 10, 40
LONGEST_NAME = 24


def pool_lines(pool: PoolNow, source: str, columns: int) -> Iterator[Line]:
    """How full it is, in two lines and what there is to say in addition."""
    name = cut(tame(pool.name), LONGEST_NAME)
    yield line((f"{name}{source}", Style.STRONG), ": ", (pool.explanation.headline(), _style(pool)))
    yield _bar(pool, columns)
    for loop in pool.explanation.blocked_loops:
        where = "" if loop.standing is None else f": {loop.standing}"
        blocked = f"the event loop has been blocked for {in_words(loop.seconds)}{where}"
        for part in wrapped(tame(blocked), columns - 2):
            yield line("  ", (part, Style.TROUBLE))
    for note in saying.notes(pool):
        yield line("  ", (note, Style.ATTENTION))
    if pool.server is not None:
        said = next(saying.server(pool.server))
        yield line("  ", (said, Style.ATTENTION if _is_crowded(pool.server) else Style.PLAIN))


def _is_crowded(server: ServerState) -> bool:
    most = server.limits.max_connections
    return not server.up or (
        most is not None
        and server.total >= Thresholds().server_used_ratio * (most - server.limits.reserved)
    )


def _style(pool: PoolNow) -> Style:
    if pool.in_trouble:
        return Style.TROUBLE
    return Style.ATTENTION if pool.is_tight else Style.PLAIN


def _bar(pool: PoolNow, columns: int) -> Line:
    """A mark for each connection, or for each few of them, and how many do what."""
    explanation = pool.explanation
    doing = Counter(held.hold.activity for held in explanation.holds)
    unknown = max(0, explanation.used - doing.total())
    parts = [
        *((*MARKS[each], each.value.replace("_", " "), doing[each]) for each in Activity),
        (UNKNOWN, Style.PLAIN, "not known", unknown),
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
