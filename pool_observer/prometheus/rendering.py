"""Renders a registry for a scrape, in whichever format it asks for, without hogging the process."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from pool_observer.prometheus.families import PoolFamily
from pool_observer.prometheus.turns import Turns
from pool_observer.prometheus.workers import UnusualError, Workers
from pool_observer.prometheus.writing import write

GZIP_LEVEL = 5
"""A twentieth of the size; the highest level takes twice the time to save a tenth of that."""

AT_A_TIME = 64
"""Samples that prometheus_client renders before it is time to look at the clock."""

ATTEMPTS = 3

END = b"# EOF\n"
"""How OpenMetrics ends."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to answer."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


def render(
    registry: CollectorRegistry,
    workers: Workers | None,
    *,
    accept: str = "",
    accept_encoding: str = "",
    names: Iterable[str] = (),
) -> Rendered:
    """The registry, or what all workers have written, in the format that is accepted.

    With `names`, only series of these names.
    """
    page = _Page(accept, frozenset(names))
    body = b""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            body = page.of(registry) if workers is None else page.of_workers(workers)
            break
        except Exception:
            # Of files that come and go with their workers, one may have been read half-made.
            if workers is None or attempt == ATTEMPTS:
                raise
    headers = [(b"content-type", page.content_type.encode("latin-1"))]
    if gzip_accepted(accept_encoding):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    return Rendered(headers, body)


class _Page:
    """What a scrape has asked for."""

    def __init__(self, accept: str, names: frozenset[str]) -> None:
        encode: Callable[[Any], bytes]
        try:
            encode, content_type = choose_encoder(accept)
        except Exception:  # a version that is not made of numbers
            encode, content_type = choose_encoder("")
        self.content_type = content_type
        self._encode = encode
        self._names = names
        self._openmetrics = content_type.startswith("application/openmetrics-text")
        # Ours are not to be renamed, as `dots` and `values` would have it, nor picked out.
        self._writes = not names and not content_type.endswith(("dots", "values"))

    def of_workers(self, workers: Workers) -> bytes:
        """What all workers have written."""
        if self._writes:
            with suppress(UnusualError):
                text = "".join(workers.write(Turns(), openmetrics=self._openmetrics))
                return text.encode() + (END if self._openmetrics else b"")
        collector = MultiProcessCollector(None, str(workers.directory))  # type: ignore[no-untyped-call]
        return self.of(collector)

    def of(self, source: Any) -> bytes:
        """What a registry, or a collector, has to say."""
        turns = Turns()
        parts: list[bytes] = []
        for family in source.collect():
            if self._writes and isinstance(family, PoolFamily):
                text = write(family.metric, family.states, turns, openmetrics=self._openmetrics)
                parts.append("".join(text).encode())
            else:
                parts.append(self._encode(_Only(self._seen(family, turns))).removesuffix(END))
        if self._openmetrics:
            parts.append(END)
        return b"".join(parts)

    def _seen(self, family: Family, turns: Turns) -> Iterator[Family]:
        """The family as this scrape wants to see it."""
        samples = family.samples
        if self._names:
            samples = [sample for sample in samples if sample.name in self._names]
            if not samples:
                return
        # A collector may keep what it gives, so it is not to be changed.
        family = copy.copy(family)
        family.samples = _Unhurried(samples, turns)
        if not self._openmetrics and family.type == "gauge" and family.name.endswith("_count"):
            family.type = "unknown"  # see `write()`
        yield family


class _Only:
    """What prometheus_client takes for a registry."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


class _Unhurried(list[Sample]):
    """Samples that let other threads have a turn while they are gone through."""

    def __init__(self, samples: Iterable[Sample], turns: Turns) -> None:
        super().__init__(samples)
        self._turns = turns

    def __iter__(self) -> Iterator[Sample]:
        for begin in range(0, len(self), AT_A_TIME):
            yield from self[begin : begin + AT_A_TIME]
            self._turns.pause()
