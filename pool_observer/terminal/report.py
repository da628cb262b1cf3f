"""The text of `pool-observer snapshot`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from pool_observer.terminal import saying
from pool_observer.terminal.answer import Answer, PoolNow
from pool_observer.terminal.groups import waiters
from pool_observer.wording import one_line, plural

MOST_WAITERS = 10


def report(answer: Answer, pools: Iterable[PoolNow], address: str) -> str:
    """These pools of the process that has answered."""
    at = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(answer.at))
    lines = [f"process {answer.pid} at {one_line(address)}, {at}"]
    for pool in pools:
        lines += ["", *(one_line(line) for line in _of_pool(pool))]
    return "\n".join(lines) + "\n"


def _of_pool(pool: PoolNow) -> Iterator[str]:
    _, *explained = str(pool.explanation).splitlines()
    yield f'pool "{pool.name}": {saying.situation(pool)}'
    yield from (f"  {note}" for note in saying.notes(pool))
    yield from explained
    groups = waiters([pool])
    if groups:
        yield "  waiting:"
    yield from (f"  {saying.waiting(group)}" for group in groups[:MOST_WAITERS])
    told = sum(group.count for group in groups[:MOST_WAITERS])
    if told < pool.explanation.waiting:
        yield f"  {plural(pool.explanation.waiting - told, 'more caller')} waiting"
    if pool.server is not None:
        yield from (f"  {line}" for line in saying.server(pool.server))
