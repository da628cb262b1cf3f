"""Advice as JSON: the same figures, for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pool_observer.advice.advising import PoolAdvice
from pool_observer.advice.measurement import HolderLoad
from pool_observer.advice.modelling import Model
from pool_observer.advice.sizing import Split
from pool_observer.advice.workers import remarks

SCHEMA = 1


def as_json(advice: Iterable[PoolAdvice], source: str) -> dict[str, Any]:
    """What `--json` prints."""
    return {"schema": SCHEMA, "source": source, "pools": [_pool(each) for each in advice]}


def _pool(advice: PoolAdvice) -> dict[str, Any]:
    load = advice.load
    about = {
        "name": load.name,
        "workers": load.workers,
        "sources": [part.source for part in load.parts],
        "window_seconds": load.window_seconds,
        "remarks": list(remarks(load)),
        "refusal": advice.refusal,
    }
    if advice.refusal is not None:
        return about
    return {
        **about,
        "measured": {
            "connections": load.connections,
            "arrivals": load.arrivals,
            "peak_demand": load.peak.peak_demand,
            "peak_seconds": load.peak.peak_seconds,
            "max": load.max,
            "saturated": load.saturated,
            "timed_out": load.timed_out,
            "waiting": load.waiting,
            "queued_seconds": load.queued_seconds,
            "holders": [_holder(each) for each in load.holders],
        },
        "mends": [{"holder": mend.load.holder, "frees": mend.frees} for mend in advice.mends],
        "size": {
            "connections": advice.needed,
            **(_split(advice, advice.split) or {}),
            "model": _model(advice.as_it_is),
            "mended": _split(advice, advice.mended_split),
            "model_mended": _model(advice.mended),
            "server_connections": load.server_connections,
        },
        "pgbouncer": (
            None
            if advice.bouncer is None
            else {**asdict(advice.bouncer), "pays": advice.bouncer.pays}
        ),
    }


def _holder(each: HolderLoad) -> dict[str, Any]:
    return {"connections": each.connections, **asdict(each)}


def _split(advice: PoolAdvice, size: Split | None) -> dict[str, Any] | None:
    if size is None:
        return None
    return {**asdict(size), "in_all": advice.in_all(size), "fits": advice.fits(size)}


def _model(model: Model | None) -> dict[str, Any] | None:
    return None if model is None else asdict(model)
