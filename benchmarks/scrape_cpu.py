"""All CPU that the process spends on a checkout, with a scrape each second.

Ours, its watchdog and its scrapes, beside listeners written by hand and theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from benchmarks.attached import Attached
from benchmarks.peers import naive_prometheus
from benchmarks.process_cpu import LOOPS, Results, Situation, Subject
from benchmarks.process_cpu import cpu_per_checkout as measure
from benchmarks.scrape_cost import OPEN_METRICS
from benchmarks.scrape_pool import HOLDER_LIMIT
from benchmarks.zero_dbapi import zero_engine
from pool_observer import observe
from pool_observer.prometheus.rendering import render

HOLDERS = (10, 200)

Attach = Callable[[Engine, CollectorRegistry], Attached]


def _bare(engine: Engine, registry: CollectorRegistry) -> Attached:
    return Attached()


def _ours(engine: Engine, registry: CollectorRegistry) -> Attached:
    observer = observe(engine, name="orders", registry=registry, holder_limit=HOLDER_LIMIT)
    return Attached(afterwards=observer.deliver)


BARE, NAIVE = "bare SQLAlchemy", "naive Prometheus listeners"
_SUBJECTS: dict[str, tuple[Attach, int]] = {
    BARE: (_bare, HOLDERS[-1]),
    NAIVE: (naive_prometheus.attach_to, HOLDERS[-1]),
    **{f"ours, {holders} holders": (_ours, holders) for holders in HOLDERS},
}
SUBJECTS = tuple(_SUBJECTS)

SITUATIONS = (
    *(Situation(loop, scraped) for loop in LOOPS for scraped in (False, True)),
    *(Situation(loop, scraped=True, paced=True) for loop in LOOPS),
)


def cpu_per_checkout(
    rounds: int, situations: Sequence[Situation], subjects: Sequence[str]
) -> Results:
    """Measure these, interleaved."""
    return measure(_make, subjects, situations, rounds)


def _make(name: str) -> Subject:
    attach, holders = _SUBJECTS[name]
    engine = zero_engine()
    registry = CollectorRegistry()

    def scrape() -> None:
        render(registry, None, accept=OPEN_METRICS, accept_encoding="gzip")

    return Subject(engine, attach(engine, registry), holders, scrape)
