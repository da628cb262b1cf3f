"""How many workers were measured, and what is not certain about them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pool_observer.advice.load import Load
from pool_observer.advice.measurement import HolderLoad, PoolLoad
from pool_observer.advice.meeting import Meeting
from pool_observer.wording import one_line, plural

Pools = tuple[PoolLoad, ...]


def met(meeting: Meeting[Pools], workers: int | None) -> Iterator[str]:
    """Who was met behind one address, and who was not."""
    found, failures = len(meeting.told), meeting.failures
    questions = plural(meeting.questions, "question")
    if workers is None:
        yield (
            f"Met {_processes(found)} in {questions}. There may be others, for who answers is not "
            "ours to choose: say how many there are with --workers"
        )
    elif found < workers:
        yield (
            f"Met {found} of {_processes(workers)} in {questions}. The others are taken to do what "
            "these do on average"
        )
    elif found > workers:
        yield (
            f"Met {_processes(found)}, more than --workers says ({workers}): have some been "
            "replaced meanwhile?"
        )
    if failures:
        yield f"No answer to {len(failures)} of {questions}, such as: {one_line(failures[0])}"


def completed(pools: Iterable[PoolLoad], workers: int) -> Pools:
    """With those who were not met, if there are so many workers, as the average of the others."""
    by_name: dict[str, list[PoolLoad]] = defaultdict(list)
    for pool in pools:
        by_name[pool.name].append(pool)
    found = []
    for same in by_name.values():
        missing = workers - len(same)
        found += same if missing < 1 else [*same, _like(same, missing)]
    return tuple(found)


def shared_out(pools: Iterable[PoolLoad], workers: int) -> Pools:
    """With so many workers in all, those of the targets that do not tell how many they have."""
    pools = tuple(pools)
    unknown = [pool for pool in pools if not pool.workers_known]
    left = workers - sum(pool.workers for pool in pools if pool.workers_known)
    each = round(left / len(unknown)) if unknown else 0
    return tuple(
        pool if pool.workers_known or each < 1 else replace(pool, workers=each, workers_known=True)
        for pool in pools
    )


def remarks(load: Load) -> Iterator[str]:
    """What is not certain about the workers of one pool."""
    unknown = sum(not part.workers_known for part in load.parts)
    if unknown:
        yield (
            f"How many workers are behind {plural(unknown, 'target')} is not known, for a pool "
            "without a limit does not tell it, and each is taken to be one: say how many there "
            "are in all with --workers"
        )
    if len({(part.size, part.max_overflow, part.max) for part in load.parts}) > 1:
        yield "They do not all have a pool of the same size: are they one service?"
    twice = [source for source, times in Counter(p.source for p in load.parts).items() if times > 1]
    if twice:
        yield (
            f"{one_line(twice[0])} is there more than once, and counts as often: if two "
            "Prometheus store it, choose one with --selector"
        )


def _like(pools: list[PoolLoad], number: int) -> PoolLoad:
    share = number / len(pools)
    return replace(
        pools[0],
        source=f"{number} not met, taken to be like the others",
        workers=number,
        window_seconds=min(pool.window_seconds for pool in pools),
        peak_demand=0,  # that of the others is the highest that is known
        timed_out=share * sum(pool.timed_out for pool in pools),
        waiting=share * sum(pool.waiting for pool in pools),
        holders=tuple(_scaled(each, share) for pool in pools for each in pool.holders),
    )


def _scaled(each: HolderLoad, share: float) -> HolderLoad:
    return replace(
        each,
        executing=share * each.executing,
        in_transaction=share * each.in_transaction,
        idle=share * each.idle,
        arrivals=share * each.arrivals,
        blamed_seconds=share * each.blamed_seconds,
        timed_out=share * each.timed_out,
    )


def _processes(number: int) -> str:
    return "one worker process" if number == 1 else f"{number} worker processes"
