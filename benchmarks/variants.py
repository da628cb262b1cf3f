"""What a cycle is measured with, in the order of the tables."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from benchmarks import ours
from benchmarks.attached import Attach, Attached, bare
from benchmarks.peers import collectd, fastapi_monitor, naive_prometheus, opentelemetry
from benchmarks.telemetry import Telemetry, Tell, in_a_request, in_no_request


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    attach: Attach


BARE = Variant("bare SQLAlchemy", bare)
OURS = Variant("ours: observe(engine), everything on", ours.everything)
OURS_SETTLED = Variant("ours, watchdog's work included", ours.everything_settled)
NAIVE_PROMETHEUS = Variant("naive Prometheus listeners", naive_prometheus.attach)
INSTRUMENTED = "OTel instrumentation, spans"

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
    Variant(INSTRUMENTED, in_no_request(opentelemetry.instrumented(pool_metric=False))),
    Variant(
        f"{INSTRUMENTED} + metric", in_no_request(opentelemetry.instrumented(pool_metric=True))
    ),
)


def _telling_nothing(attach: Attach) -> Tell:
    """OpenTelemetry is in use around it, and is not told of it."""

    def tell(engine: Engine, telemetry: Telemetry) -> Attached:
        return attach(engine)

    return tell


BARE_IN_A_REQUEST = Variant("bare SQLAlchemy", in_a_request(_telling_nothing(bare)))

VARIANTS_IN_A_REQUEST = (
    BARE_IN_A_REQUEST,
    Variant("bare, a second time (noise)", in_a_request(_telling_nothing(bare))),
    Variant("ours, OpenTelemetry is not told", in_a_request(_telling_nothing(ours.everything))),
    Variant("ours, long spans", in_a_request(ours.telling())),
    Variant("ours, all spans", in_a_request(ours.telling(spans_above=0))),
    Variant("not told, + watchdog", in_a_request(_telling_nothing(ours.everything_settled))),
    Variant("long spans, + watchdog, messenger", in_a_request(ours.settled(ours.telling()))),
    Variant(
        "all spans, + watchdog, messenger", in_a_request(ours.settled(ours.telling(spans_above=0)))
    ),
    Variant(INSTRUMENTED, in_a_request(opentelemetry.instrumented(pool_metric=False))),
    Variant(f"{INSTRUMENTED} + metric", in_a_request(opentelemetry.instrumented(pool_metric=True))),
)

TABLES = {"cycles": VARIANTS, "spans": VARIANTS_IN_A_REQUEST}
"""By the benchmark that they are of. The bare one is the first."""

PEER_DISTRIBUTIONS = (
    "prometheus-client",
    "sqlalchemy-collectd",
    "fastapi-sqlalchemy-monitor",
    "opentelemetry-instrumentation-sqlalchemy",
    "opentelemetry-sdk",
)
