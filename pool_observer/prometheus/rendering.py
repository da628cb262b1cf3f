"""Renders a registry for a scrape, in whichever format it asks for, without hogging the process."""

from __future__ import annotations

import copy
import gzip
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import Metric as Family
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

GZIP_LEVEL = 5
"""A twentieth of the size; the highest level takes twice the time to save a tenth of that."""

AT_A_TIME = 64
"""Samples rendered before others get their turn: a quarter of a millisecond."""

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to answer."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


def render(
    registry: CollectorRegistry,
    directory: Path | None,
    *,
    accept: str = "",
    accept_encoding: str = "",
    names: Iterable[str] = (),
) -> Rendered:
    """The registry, or what all workers keep in `directory`, in the format that is accepted.

    With `names`, only series of these names.
    """
    try:
        encode, content_type = choose_encoder(accept)
    except Exception:  # a version that is not made of numbers
        encode, content_type = choose_encoder("")
    plain = content_type.startswith("text/plain")
    body = b""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            body = encode(_View(_source(registry, directory), frozenset(names), plain))
            break
        except Exception:
            # Of files that come and go with their workers, one may have been read half-made.
            if directory is None or attempt == ATTEMPTS:
                raise
    headers = [(b"content-type", content_type.encode("latin-1"))]
    if gzip_accepted(accept_encoding):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    return Rendered(headers, body)


def _source(registry: CollectorRegistry, directory: Path | None) -> Any:
    """What to collect from."""
    if directory is None:
        return registry
    return MultiProcessCollector(None, str(directory))  # type: ignore[no-untyped-call]


class _View:
    """A registry as a scrape is to see it."""

    def __init__(self, source: Any, names: frozenset[str], plain: bool) -> None:
        self._source = source
        self._names = names
        self._plain = plain

    def collect(self) -> Iterator[Family]:
        for family in self._source.collect():
            seen = copy.copy(family)
            samples = family.samples
            if self._names:
                samples = [sample for sample in samples if sample.name in self._names]
                if not samples:
                    continue
            seen.samples = _Unhurried(samples)
            if self._plain and seen.type == "gauge" and seen.name.endswith("_count"):
                # OpenTelemetry's name for a gauge. The plain format keeps the suffix for
                # histograms, and lets only an untyped metric have it.
                seen.type = "unknown"
            yield seen


class _Unhurried(list[Sample]):
    """Samples that let other threads have a turn while they are gone through.

    Rendering thousands of them is one long computation. Python would let it go on for 5 ms
    before the thread of the event loop gets a turn, and then again, as often as that thread
    waits for anything.
    """

    def __iter__(self) -> Iterator[Sample]:
        for begin in range(0, len(self), AT_A_TIME):
            yield from self[begin : begin + AT_A_TIME]
            time.sleep(0)
