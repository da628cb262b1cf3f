"""What a live page measures, asked of each of its workers that can be met."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pool_observer.advice.measurement import CannotMeasureError, HolderLoad, Measurement, PoolLoad
from pool_observer.advice.meeting import Meeting
from pool_observer.advice.reading import Part
from pool_observer.advice.workers import Pools, completed, met

SCHEMA = 1

PEAK_SECONDS = 60.0
"""How far back `peak_demand` goes."""


def is_page(answer: Any) -> bool:
    """Whether this is what a live page answers, of whatever schema."""
    return isinstance(answer, dict) and "schema" in answer and "pools" in answer


def from_page(
    answer: Any,
    ask_again: Callable[[], Any],
    *,
    workers: int | None = None,
    failures: Sequence[str] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Measurement:
    """The pools of each worker. Who answers is not for us to choose, so we ask many times.

    :param workers: how many there are, if that is known.
    :param failures: what was asked in vain before there was this answer.
    """
    meeting = Meeting[Pools](workers, clock)
    for failure in failures:
        meeting.note_failure(failure)
    meeting.note(*_read(answer))
    meeting.meet(ask_again, _read)
    pools = _told_apart(meeting.told)
    return Measurement(
        "a live page",
        pools if workers is None else completed(pools, workers),
        tuple(met(meeting, workers)),
    )


def _told_apart(told: dict[str, Pools]) -> Pools:
    """Replicas may have the same pid: in a container it often is 1."""
    processes = Counter(pools[0].source for pools in told.values() if pools)
    return tuple(
        replace(pool, source=f"{pool.source} ({worker[:6]})")
        if processes[pool.source] > 1
        else pool
        for worker, pools in told.items()
        for pool in pools
    )


def _read(answer: Any) -> tuple[str, Pools]:
    """Which worker it is, and its pools."""
    document = Part(answer)
    schema = document["schema"].value
    if schema != SCHEMA:
        shown = schema if isinstance(schema, int) and abs(schema) < 1_000_000 else "?"
        raise CannotMeasureError(
            f"this page speaks schema {shown}, and this command understands {SCHEMA}: use a "
            "pool-observer of the service's version"
        )
    process = document["process"]
    pid, identity = process["pid"].whole(), process.optional("id")
    worker = str(pid) if identity.is_null else identity.text()
    return worker, tuple(_pool(pool, pid) for pool in document["pools"])


def _pool(pool: Part, pid: int) -> PoolLoad:
    settings, holders = pool["settings"], pool["holders"]
    window = holders["window_seconds"].number()
    known = not settings.is_null
    rows = [_holder(row, window) for row in holders["rows"]] if window >= 1 else []
    return PoolLoad(
        name=pool["name"].text(),
        source=f"pid {pid}",
        workers=1,
        window_seconds=window,
        peak_demand=pool["peak_demand"].whole(),
        peak_seconds=min(window, PEAK_SECONDS),
        max=pool["max"].whole_or_none(),
        size=settings["size"].whole_or_none() if known else None,
        max_overflow=_overflow(settings["max_overflow"]) if known else None,
        dialect=settings["dialect"].text() if known else "",
        driver=settings["driver"].text() if known else "",
        timed_out=sum(row["timed_out"].number() for row in holders["rows"]),
        holders=tuple(rows),
        waiting=pool["waiting"].number(),
        pool_class=settings["pool_class"].text() if known else "",
        server_connections=_server_connections(pool.optional("server")),
    )


def _server_connections(server: Part) -> int | None:
    """What the server has for us; None if it is not known, or a pooler is in between."""
    if server.is_null or server["pooler"].value:
        return None
    limits = [server["role_limit"].whole_or_none(), server["database_limit"].whole_or_none()]
    most = server["max_connections"].whole_or_none()
    if most is not None:
        limits.append(max(0, most - server["reserved_connections"].whole()))
    return min((each for each in limits if each is not None), default=None)


def _overflow(overflow: Part) -> int | None:
    return None if overflow.value == -1 else overflow.whole_or_none()


def _holder(row: Part, window: float) -> HolderLoad:
    held = row["seconds"].number()
    checkouts = row["checkouts"].number()
    return HolderLoad(
        holder=row["holder"].text(),
        executing=row["executing_seconds"].number() / window,
        in_transaction=row["in_transaction_seconds"].number() / window,
        idle=row["idle_seconds"].number() / window,
        arrivals=checkouts / window,
        # What it has held since before this began has no checkout here.
        mean_hold=held / max(checkouts, 1),
        blamed_seconds=row["blamed_seconds"].number(),
        timed_out=row["timed_out"].number(),
    )
