"""Everything that is measured, in the order of the table."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import ours
from benchmarks.attached import Attach, bare
from benchmarks.peers import collectd, fastapi_monitor, naive_prometheus, opentelemetry


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    attach: Attach


BARE = Variant("bare SQLAlchemy", bare)
OURS = Variant("ours: observe(engine), everything on", ours.everything)
OURS_SETTLED = Variant("ours, watchdog's work included", ours.everything_settled)
NAIVE_PROMETHEUS = Variant("naive Prometheus listeners", naive_prometheus.attach)

VARIANTS = (
    BARE,
    # The same thing in a process of its own: how far from 1 this is, the others may be off.
    Variant("bare, a second time (noise)", bare),
    OURS,
    OURS_SETTLED,
    Variant("ours without call sites", ours.part(sites=False, activity=True)),
    Variant("ours without activity", ours.part(sites=True, activity=False)),
    Variant("ours without either: waits, holds", ours.part(sites=False, activity=False)),
    NAIVE_PROMETHEUS,
    Variant("sqlalchemy-collectd", collectd.attach),
    Variant("fastapi-sqlalchemy-monitor", fastapi_monitor.attach),
    Variant("OTel instrumentation, spans", opentelemetry.attach_with(pool_metric=False)),
    Variant("OTel instrumentation, spans + metric", opentelemetry.attach_with(pool_metric=True)),
)

PEER_DISTRIBUTIONS = (
    "prometheus-client",
    "sqlalchemy-collectd",
    "fastapi-sqlalchemy-monitor",
    "opentelemetry-instrumentation-sqlalchemy",
    "opentelemetry-sdk",
)
