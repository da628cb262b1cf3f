"""Advice as text: what was measured, what to do first, and each calculation in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pool_observer.advice.advising import PoolAdvice
from pool_observer.advice.bouncer import Bouncer
from pool_observer.advice.load import Load
from pool_observer.advice.measurement import HolderLoad
from pool_observer.advice.queueing import LONGEST_WAIT_SECONDS
from pool_observer.advice.saying import duration, figure, say
from pool_observer.advice.size_text import HARDLY_ANYBODY, size_text
from pool_observer.advice.workers import remarks as workers_remarks
from pool_observer.thresholds import Thresholds
from pool_observer.wording import one_line, plural

MOST_ROWS = 12
MOST_SOURCES = 8
HOLDER_WIDTH = 30


def text(
    advice: Iterable[PoolAdvice],
    source: str,
    limits: Thresholds | None = None,
    remarks: Iterable[str] = (),
) -> str:
    """All of it, 80 columns wide."""
    lines = [f"Asked {one_line(source)}."]
    lines += [line for remark in remarks for line in say(f"{remark}.")]
    for pool in advice:
        lines += ["", *_pool(pool, limits or Thresholds())]
    return "\n".join(lines)


def _pool(advice: PoolAdvice, limits: Thresholds) -> Iterator[str]:
    load = advice.load
    workers = plural(load.workers, "worker")
    yield from say(
        f'pool "{one_line(load.name)}": {workers}, measured over {load.window_seconds:.0f} s', ""
    )
    yield from say(_sources(load))
    for remark in workers_remarks(load):
        yield from say(f"{remark}.")
    if advice.refusal is not None:
        yield from say(f"No advice: {advice.refusal}.")
        return
    yield ""
    yield from _measured(load)
    yield ""
    yield from _mends(advice)
    yield ""
    yield from size_text(advice, limits)
    if advice.bouncer is not None:
        yield ""
        yield from _bouncer(advice.bouncer, advice, limits)


def _sources(load: Load) -> str:
    shown = [part.source for part in load.parts[:MOST_SOURCES]]
    more = len(load.parts) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def _measured(load: Load) -> Iterator[str]:
    yield "Measured, in all workers together"
    yield (
        f"  {'':<{HOLDER_WIDTH}} {'taken/s':>8} {'x held':>8} {'= avg.':>7}  "
        f"{'exec.':>5} {'in tx':>5} {'idle':>5}"
    )
    for each in load.holders[:MOST_ROWS]:
        yield _row(each)
    more = load.holders[MOST_ROWS:]
    if more:
        rest = sum(each.connections for each in more)
        yield f"  and {plural(len(more), 'holder')} more, {figure(rest)} connections on average"
    yield from say(
        "Little's law: connections on average = taken a second x how long each is held. Together "
        f"{figure(load.arrivals)}/s x {duration(load.connections / load.arrivals)} = "
        f"{figure(load.connections)}."
    )
    peak, limit, average = load.peak, load.max, load.busiest
    where = " in the busiest" if load.workers > 1 else ""
    utilization = "" if limit is None else f", {average / limit:.0%}"
    yield from say(
        f"At most {peak.peak_demand} held or asked for at once in a worker within "
        f"{peak.peak_seconds:.0f} s; on average {figure(average)}{where}, of "
        f"{'any number' if limit is None else limit} that there are{utilization}."
    )


def _row(each: HolderLoad) -> str:
    shares = [
        f"{part / each.connections:.0%}" if each.connections else "-"
        for part in (each.executing, each.in_transaction, each.idle)
    ]
    split = " ".join(f"{share:>5}" for share in shares)
    return (
        f"  {_holder(each):<{HOLDER_WIDTH}} {figure(each.arrivals):>8} "
        f"{duration(each.mean_hold):>8} {figure(each.connections):>7}  {split}"
    )


def _holder(each: HolderLoad) -> str:
    name = one_line(each.holder)
    if len(name) <= HOLDER_WIDTH:
        return name
    # Routes are told apart by their ends: many begin alike.
    begin = (HOLDER_WIDTH - 3) // 2
    return f"{name[:begin]}...{name[begin + 3 - HOLDER_WIDTH :]}"


def _mends(advice: PoolAdvice) -> Iterator[str]:
    if not advice.mends:
        yield from say("1. Nothing to mend: no route keeps many connections unused.", "")
        return
    yield from say("1. Mend first: release the connection before what is awaited", "")
    for mend in advice.mends:
        each = mend.load
        yield from say(
            f"{one_line(each.holder)}: frees {figure(mend.frees)} of its "
            f"{figure(each.connections)} connections = {figure(each.in_transaction)} in "
            f"transaction + {figure(each.idle)} idle; {duration(mend.executing_seconds)} of "
            f"{duration(each.mean_hold)} is spent on statements"
        )
        if each.blamed_seconds > LONGEST_WAIT_SECONDS:
            yield from say(f"made others queue for {duration(each.blamed_seconds)}", "    ")


def _bouncer(bouncer: Bouncer, advice: PoolAdvice, limits: Thresholds) -> Iterator[str]:
    load = advice.load
    yield "3. PgBouncer, for all workers"
    executing = sum(each.executing for each in load.holders)
    yield from say(
        "transaction mode needs a server connection for as long as a transaction lasts: "
        f"{figure(executing)} executing + {figure(bouncer.average - executing)} in transaction = "
        f"{figure(bouncer.average)} on average"
        + (f"; {figure(bouncer.offered)} had nobody waited or given up" if load.saturated else "")
    )
    yield from say(
        f"default_pool_size={bouncer.default_pool_size}: {HARDLY_ANYBODY}, and on average no more "
        f"than {limits.high_ratio:.0%} of them work"
    )
    if bouncer.pays:
        yield from say(
            f"it fits: {bouncer.outside_ratio:.0%} of the time for which connections are held is "
            "outside of transactions"
        )
    else:
        yield from say(
            f"no gain from it for what is held: only {bouncer.outside_ratio:.0%} of that is "
            "outside of transactions"
        )
    if bouncer.mended_pool_size < bouncer.default_pool_size:
        yield from say(
            "once the above is mended, or only commits before it awaits: "
            f"{figure(bouncer.mended_average)} on average, "
            f"default_pool_size={bouncer.mended_pool_size}"
        )
    if load.max is not None and load.workers > 1:
        yield from say(
            f"without it the server may be asked for {load.workers} workers x {load.max} = "
            f"{load.workers * load.max} connections"
        )
    yield from say(
        "session mode shares nothing while a pool keeps its connections open; statement mode is "
        "unfit for an ORM, whose transactions have several statements"
    )
    yield from say(
        "transaction mode does not allow what lasts longer than a transaction: SET, temporary "
        "tables, LISTEN, session advisory locks"
        + (
            ", and asyncpg's prepared statements (statement_cache_size=0, "
            'prepared_statement_name_func=lambda: "")'
            if bouncer.asyncpg
            else ""
        )
    )
