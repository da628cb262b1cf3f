"""Reads the JSON of a live page back into the values that it was made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from pool_observer.advice.measurement import CannotMeasureError
from pool_observer.advice.page import SCHEMA, is_page
from pool_observer.advice.reading import Part
from pool_observer.explanation import (
    BlockedLoop,
    Diagnosis,
    Doing,
    ExplainedHold,
    Standing,
    Trouble,
)
from pool_observer.model import NANOSECONDS, Activity, CallSite, Hold, Phase, Stage, Wait
from pool_observer.summary import Explanation
from pool_observer.terminal.answer import Answer, PoolNow
from pool_observer.terminal.server_reading import server_side, server_state
from pool_observer.terminal.words import known

RECENTLY = 60
"""Seconds."""

Read = TypeVar("Read")


def answer(said: Any) -> Answer:
    """What a live page has answered; raises if it is none, or is of another version."""
    if not is_page(said):
        raise CannotMeasureError(
            "there is no live page at this address; it is the debug_path of "
            "observe(..., debug_path=...)"
        )
    document = Part(said)
    if document["schema"].value != SCHEMA:
        raise CannotMeasureError(
            "this page speaks another schema; use a pool-observer of the service's version"
        )
    process = document["process"]
    pid, identity = process["pid"].whole(), process.optional("id")
    return Answer(
        process=str(pid) if identity.is_null else identity.text(),
        pid=pid,
        at=document["at"].number(),
        pools=tuple(_pool(pool) for pool in document["pools"]),
    )


def _pool(pool: Part) -> PoolNow:
    name = pool["name"].text()
    loop, timeline = pool["event_loop"], pool["timeline"]
    return PoolNow(
        explanation=Explanation(
            pool=name,
            used=pool["used"].whole(),
            max=pool["max"].whole_or_none(),
            unseen=pool["unseen"].whole(),
            waiting=pool["waiting"].whole(),
            holds=tuple(_hold(hold, name, key) for key, hold in enumerate(pool["holds"])),
            waits=tuple(_wait(wait, name) for wait in pool["waits"]),
            holds_left_out=pool["holds_omitted"].whole(),
            blocked_loops=tuple(
                BlockedLoop(each["seconds"].number(), _maybe(each["standing"], _standing))
                for each in loop["blocked"]
            ),
        ),
        idle=pool["idle"].whole(),
        loop_lag=_maybe(loop["lag_seconds"], Part.number),
        timed_out=_recent(timeline["timed_out"]),
        failed=_recent(timeline.optional("failed")),
        server=_maybe(pool.optional("server"), server_state),
    )


def _recent(series: Part) -> int:
    return 0 if series.is_null else sum(each.whole() for each in list(series)[-RECENTLY:])


def _hold(hold: Part, pool: str, key: int) -> ExplainedHold:
    limit = hold["limit_seconds"]
    holder, pid = hold["holder"].text(), hold["backend_pid"].whole_or_none()
    return ExplainedHold(
        key=key,
        hold=Hold(
            pool=pool,
            holder=holder,
            call_site=_maybe(hold["call_site"], _place),
            began_ns=_nanoseconds(hold["began_at"]),
            ending=None,
            activity=known(Activity, hold["activity"]),
            executing_ns=_nanoseconds(hold["executing_seconds"]),
            in_transaction_ns=_nanoseconds(hold["in_transaction_seconds"]),
            idle_ns=_nanoseconds(hold["idle_seconds"]),
            waited_ns=_nanoseconds(hold["waited_seconds"]),
            backend_pid=pid,
            overdue=hold["overdue"].value is True,
            limit_seconds=math.inf if limit.is_null else limit.number(),
            limit_reason=_maybe(hold["limit_reason"], Part.text),
            phase=_maybe(hold["phase"], lambda phase: known(Phase, phase)),
            activity_for_ns=_nanoseconds(hold["activity_seconds"]),
        ),
        standing=_maybe(hold["standing"], _standing),
        diagnosis=_maybe(hold["diagnosis"], _diagnosis),
        server=_maybe(hold.optional("server"), lambda side: server_side(side, holder, pid, key)),
    )


def _wait(wait: Part, pool: str) -> Wait:
    nested_in = _maybe(wait["nested_in"], _place)
    return Wait(
        pool=pool,
        holder=wait["holder"].text(),
        call_site=_maybe(wait["call_site"], _place),
        began_ns=0,
        outcome=None,
        stage=known(Stage, wait["stage"]),
        queue_ns=_nanoseconds(wait["seconds"]),  # how it is split is not told
        connect_ns=0,
        ping_ns=0,
        nested=nested_in is not None,
        nested_in=nested_in,
    )


def _standing(standing: Part) -> Standing:
    return Standing(
        known(Doing, standing["doing"]),
        _maybe(standing["at"], _place),
        _maybe(standing["calling"], _place),
        _maybe(standing["innermost"], _place),
    )


def _diagnosis(diagnosis: Part) -> Diagnosis:
    kind = known(Trouble, diagnosis["kind"])
    return Diagnosis(kind, diagnosis["text"].text(), diagnosis["mend"].text())


def _place(place: Part) -> CallSite:
    return CallSite(place["file"].text(), place["line"].whole(), place["function"].text())


def _nanoseconds(seconds: Part) -> int:
    return round(seconds.number() * NANOSECONDS)


def _maybe(part: Part, read: Callable[[Part], Read]) -> Read | None:
    return None if part.is_null else read(part)
