"""Advice as text: what was measured, what to do first, and each calculation in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from pool_observer.advice.advising import Model, PoolAdvice
from pool_observer.advice.bouncer import Bouncer
from pool_observer.advice.load import Load
from pool_observer.advice.measurement import HolderLoad
from pool_observer.advice.queueing import LONGEST_WAIT_SECONDS, WAITS_RATIO
from pool_observer.advice.sizing import Split
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words, one_line, plural

WIDTH = 80
MOST_ROWS = 12
MOST_SOURCES = 8
HOLDER_WIDTH = 30

HARDLY_ANYBODY = f"fewer than {WAITS_RATIO:.1%} wait longer than {in_words(LONGEST_WAIT_SECONDS)}"


def text(advice: Iterable[PoolAdvice], source: str, limits: Thresholds | None = None) -> str:
    """All of it, 80 columns wide."""
    lines = [f"Asked {one_line(source)}."]
    for pool in advice:
        lines += ["", *_pool(pool, limits or Thresholds())]
    return "\n".join(lines)


def _pool(advice: PoolAdvice, limits: Thresholds) -> Iterator[str]:
    load = advice.load
    workers = plural(load.workers, "worker")
    yield from _say(
        f'pool "{one_line(load.name)}": {workers}, measured over {load.window_seconds:.0f} s', ""
    )
    yield from _say(_sources(load))
    if advice.refusal is not None:
        yield from _say(f"No advice: {advice.refusal}.")
        return
    yield ""
    yield from _measured(load)
    yield ""
    yield from _mends(advice)
    yield ""
    yield from _size(advice, limits)
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
    yield from _say(
        "Little's law: connections on average = taken a second x how long each is held. Together "
        f"{figure(load.arrivals)}/s x {duration(load.connections / load.arrivals)} = "
        f"{figure(load.connections)}."
    )
    peak, limit = load.peak, load.max
    utilization = "" if limit is None else f", {load.connections / load.workers / limit:.0%}"
    yield from _say(
        f"At most {peak.peak_demand} held or asked for at once in a worker within "
        f"{peak.peak_seconds:.0f} s; on average {figure(load.connections / load.workers)}, of "
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
    return name if len(name) <= HOLDER_WIDTH else f"{name[: HOLDER_WIDTH - 3]}..."


def _mends(advice: PoolAdvice) -> Iterator[str]:
    if not advice.mends:
        yield from _say("1. Nothing to mend: no route keeps many connections unused.", "")
        return
    yield from _say("1. Mend first: release the connection before what is awaited", "")
    for mend in advice.mends:
        each = mend.load
        yield from _say(
            f"{one_line(each.holder)}: frees {figure(mend.frees)} of its "
            f"{figure(each.connections)} connections = {figure(each.in_transaction)} in "
            f"transaction + {figure(each.idle)} idle; {duration(mend.executing_seconds)} of "
            f"{duration(each.mean_hold)} is spent on statements"
        )
        if each.blamed_seconds > LONGEST_WAIT_SECONDS:
            yield from _say(f"made others queue for {duration(each.blamed_seconds)}", "    ")


def _size(advice: PoolAdvice, limits: Thresholds) -> Iterator[str]:
    load, model = advice.load, advice.as_it_is
    assert model is not None
    assert advice.split is not None
    yield "2. Then the size of the pool, for each worker"
    if advice.mended is not None and advice.mended_split is not None:
        yield from _say(f"once that is mended, to begin with: {_settings(advice.mended_split)}")
        yield from _say(
            f"{_modelled(advice.mended)}; the rest is headroom. Callers who come all at once need "
            "more: measure again when it is done",
            "    ",
        )
    until_then = "until then" if advice.mends else "as it is"
    yield from _say(f"{until_then}: {_settings(advice.split)}")
    yield from _say(_why(advice), "    ")
    if not advice.split.max_overflow:
        yield from _say(
            "no overflow: that many are held nearly all the time, and connections of the overflow "
            "are opened and closed at each use",
            "    ",
        )
    if advice.split.pool_size > limits.pool_size_high:
        usual = f"{limits.pool_size_low} to {limits.pool_size_high}"
        yield from _say(
            f"more than the usual {usual} for one worker: "
            + ("mend first" if advice.mends else "rather more workers, or PgBouncer"),
            "    ",
        )
    yield from _say(f"beside it: {_modelled(model)}", "    ")
    executing = sum(each.executing for each in load.holders)
    yield from _say(
        "classic formula: concurrent requests x DB time / total time = taken a second x DB time "
        f"= {figure(load.arrivals)}/s x {duration(executing / load.arrivals)} executing = "
        f"{figure(executing)}, in all workers; held in fact: {figure(load.connections)}"
    )


def _settings(size: Split) -> str:
    return (
        f"{plural(size.connections, 'connection')}, pool_size={size.pool_size}, "
        f"max_overflow={size.max_overflow}"
    )


def _why(advice: PoolAdvice) -> str:
    load = advice.load
    if not load.saturated:
        return (
            f"the most that were wanted at once: {advice.needed}, nobody queued; under a higher "
            "load measure again"
        )
    return (
        f"the pool was saturated ({load.timed_out:.0f} time-outs, callers queued for "
        f"{duration(load.queued_seconds)}), so what was wanted is only known roughly: "
        f"{load.peak.peak_demand} at once, those in the queue included. Set it, and measure again"
    )


def _modelled(model: Model) -> str:
    return (
        f"by the model of Erlang {figure(model.offered)} on average, held for "
        f"{duration(model.mean_hold)} each: with {model.connections}, {HARDLY_ANYBODY}"
    )


def _bouncer(bouncer: Bouncer, advice: PoolAdvice, limits: Thresholds) -> Iterator[str]:
    load = advice.load
    yield "3. PgBouncer, for all workers"
    executing = sum(each.executing for each in load.holders)
    yield from _say(
        "transaction mode needs a server connection for as long as a transaction lasts: "
        f"{figure(executing)} executing + {figure(bouncer.average - executing)} in transaction = "
        f"{figure(bouncer.average)} on average"
    )
    yield from _say(
        f"default_pool_size={bouncer.default_pool_size}: {HARDLY_ANYBODY}, and on average no more "
        f"than {limits.high_ratio:.0%} of them work"
    )
    if bouncer.pays:
        yield from _say(
            f"it fits: {bouncer.outside_ratio:.0%} of the time for which connections are held is "
            "outside of transactions"
        )
    else:
        yield from _say(
            f"no gain from it for what is held: only {bouncer.outside_ratio:.0%} of that is "
            "outside of transactions"
        )
    if bouncer.mended_pool_size < bouncer.default_pool_size:
        yield from _say(
            "once the above is mended, or only commits before it awaits: "
            f"{figure(bouncer.mended_average)} on average, "
            f"default_pool_size={bouncer.mended_pool_size}"
        )
    if load.max is not None and load.workers > 1:
        yield from _say(
            f"without it the server may be asked for {load.workers} workers x {load.max} = "
            f"{load.workers * load.max} connections"
        )
    yield from _say(
        "session mode shares nothing while a pool keeps its connections open; statement mode is "
        "unfit for an ORM, whose transactions have several statements"
    )
    yield from _say(
        "transaction mode does not allow what lasts longer than a transaction: SET, temporary "
        "tables, LISTEN, session advisory locks"
        + (
            ", and asyncpg's prepared statements (statement_cache_size=0, "
            'prepared_statement_name_func=lambda: "")'
            if bouncer.asyncpg
            else ""
        )
    )


def _say(sentence: str, indent: str = "  ") -> list[str]:
    """The sentence in lines that are not too long."""
    return wrap(
        one_paragraph(sentence),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
    )


def one_paragraph(sentence: str) -> str:
    """The sentence with nothing in it that a terminal takes for a command."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in sentence)


def figure(value: float) -> str:
    """A figure with three digits that count."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.005 or value <= 0 else "<0.01"


def duration(seconds: float) -> str:
    """Seconds with three digits that count."""
    return f"{figure(seconds)} s" if seconds >= 0.9995 else f"{figure(seconds * 1000)} ms"
