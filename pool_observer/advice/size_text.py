"""The size of the pool in words: what to set, why that much, and what it comes to in all."""

from __future__ import annotations

from collections.abc import Iterator

from pool_observer.advice.advising import PoolAdvice
from pool_observer.advice.load import Load
from pool_observer.advice.modelling import Model
from pool_observer.advice.queueing import LONGEST_WAIT_SECONDS, WAITS_RATIO
from pool_observer.advice.saying import duration, figure, say
from pool_observer.advice.sizing import Split
from pool_observer.thresholds import Thresholds
from pool_observer.wording import in_words, plural

HARDLY_ANYBODY = f"fewer than {WAITS_RATIO:.1%} wait longer than {in_words(LONGEST_WAIT_SECONDS)}"


def size_text(advice: PoolAdvice, limits: Thresholds) -> Iterator[str]:
    """Once mended, and until then."""
    load, size = advice.load, advice.split
    assert size is not None
    yield "2. Then the size of the pool, for each worker"
    if load.class_without_size:
        yield from say(
            f"these are settings of a queue pool, and its class is {load.class_without_size}: "
            "leave out poolclass first, or set QueuePool, for an async engine "
            "AsyncAdaptedQueuePool"
        )
    if advice.mended is not None and advice.mended_split is not None:
        more = advice.mended_split.connections > advice.mended.connections > 0
        headroom = "; the rest is headroom" if more else ""
        yield from _one_size("once mended, to begin with", advice.mended_split, advice)
        yield from say(
            f"{_modelled(advice.mended, load)}{headroom}. Callers who come all at once need more: "
            "measure again when it is done",
            "    ",
        )
    yield from _one_size("until then" if advice.mends else "as it is", size, advice)
    yield from say(_why(advice), "    ")
    yield from _remarks(advice, size, limits)
    executing = sum(each.executing for each in load.holders)
    yield from say(
        "classic formula: concurrent requests x DB time / total time = taken a second x DB time "
        f"= {figure(load.arrivals)}/s x {duration(executing / load.arrivals)} executing = "
        f"{figure(executing)}, in all workers; held in fact: {figure(load.connections)}"
    )


def _one_size(when: str, size: Split, advice: PoolAdvice) -> Iterator[str]:
    load = advice.load
    total = (
        f"{plural(load.workers, 'worker')} x {size.connections} = "
        f"{plural(advice.in_all(size), 'connection')}"
    )
    most = load.server_connections
    if not advice.fits(size):
        yield from say(
            f"{when}: THE SERVER HAS TOO FEW for what follows: {total}, and it has {most} for all "
            "who use it, max_connections less what is reserved"
        )
    yield from say(
        f"{when}: {plural(size.connections, 'connection')}, pool_size={size.pool_size}, "
        f"max_overflow={size.max_overflow}"
    )
    if most is None:
        yield from say(f"in all: {total}, which max_connections must allow", "    ")
    elif advice.fits(size):
        yield from say(f"in all: {total}, of {most} that the server has for all", "    ")


def _why(advice: PoolAdvice) -> str:
    load, model = advice.load, advice.as_it_is
    assert model is not None
    peak = load.peak
    if load.saturated:
        return _why_saturated(load, model)
    queued = (
        f"callers queued for {duration(load.queued_seconds)} in all"
        if load.queued_seconds
        else "nobody queued"
    )
    enough = "" if load.max is None else f", so the {load.max} that are set were enough"
    more = ""
    if advice.needed > peak.peak_demand and advice.mended is not None:
        more = "; no fewer than once it is mended"
    return (
        f"at most {_wanted(peak.peak_demand)} wanted at once within {peak.peak_seconds:.0f} s, and "
        f"{queued}{enough}{more}; under a higher load measure again"
    )


def _why_saturated(load: Load, model: Model) -> str:
    peak = load.peak
    signs = [
        f"{load.timed_out:.0f} time-outs" if load.timed_out else "",
        f"callers queued for {duration(load.queued_seconds)}" if load.queued_seconds else "",
        f"{load.waiting:.0f} still wait" if load.waiting else "",
    ]
    seen = ", ".join(sign for sign in signs if sign)
    parts = [
        f"the pool was saturated{f' ({seen})' if seen else ''}. Had all who asked been served: "
        f"{_modelled(model, load)}"
    ]
    if load.max is not None and model.connections <= load.max:
        parts.append(
            f"The {load.max} there are would do for that, so some came all at once: no fewer, and "
            "one more to begin with"
        )
    at_once = f"{_wanted(peak.peak_demand)} wanted at once within {peak.peak_seconds:.0f} s"
    if peak.max is not None and peak.peak_demand > peak.max:
        parts.append(f"{at_once}, the queue included: a queue makes itself longer, and is no size")
    else:
        parts.append(f"{at_once}: the queue is older")
    return ". ".join([*parts, "Set it, and measure again"])


def _remarks(advice: PoolAdvice, size: Split, limits: Thresholds) -> Iterator[str]:
    load, model = advice.load, advice.as_it_is
    assert model is not None
    if not size.max_overflow:
        yield from say(
            f"no overflow: with {figure(model.offered)} held on average it would be used often, "
            "and each use opens and closes a connection",
            "    ",
        )
    if size.pool_size > limits.pool_size_high:
        usual = f"{limits.pool_size_low} to {limits.pool_size_high}"
        yield from say(
            f"more than the usual {usual} for one worker: "
            + ("mend first" if advice.mends else "rather more workers, or PgBouncer"),
            "    ",
        )
    if not load.saturated:
        yield from say(f"beside it: {_modelled(model, load)}", "    ")


def _modelled(model: Model, load: Load) -> str:
    if not model.offered:
        return "nothing that was measured holds a connection then, so the least that is usual"
    where = " in the busiest worker" if load.workers > 1 else ""
    return (
        f"{figure(model.offered)} on average{where}; by the model of Erlang {model.connections} "
        f"are enough: {HARDLY_ANYBODY}, if they come independently of each other"
    )


def _wanted(number: int) -> str:
    return f"{number} {'was' if number == 1 else 'were'}"
