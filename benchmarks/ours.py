"""pool_observer, whole and in parts, alone and telling OpenTelemetry."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from types import FrameType
from unittest import mock

from sqlalchemy import Engine

from benchmarks.attached import Attach, Attached
from benchmarks.telemetry import Telemetry, Tell
from pool_observer import OpenTelemetry, PoolObserver, observe
from pool_observer import observer as observer_module
from pool_observer.call_site import RawSite, SiteFinder
from pool_observer.hooks.attachment import Attachment
from pool_observer.watchdog import process_messenger, process_watchdog

NAME = "benchmark"
DEFAULT_THRESHOLD = OpenTelemetry().spans_above


def everything(engine: Engine) -> Attached:
    """`observe(engine)`, as users call it; settling is left to the watchdog."""
    observer = observe(engine, name=NAME)
    return Attached(afterwards=observer.deliver, check=lambda: _check(observer))


def everything_settled(engine: Engine) -> Attached:
    """The same, with the watchdog's work done on the application's time: all CPU there is."""
    return _settled(everything(engine))


def _settled(attached: Attached) -> Attached:
    """No thread does any of the work that is to be measured in this one."""
    for thread in (process_messenger, process_watchdog):
        for watched in thread.watched():
            thread.unwatch(watched)
    return replace(attached, afterwards_counts=True)


def telling(spans_above: float | None = DEFAULT_THRESHOLD) -> Tell:
    """`observe(engine, opentelemetry=...)`: metrics, and spans of what lasts for so long.

    Listeners are told by the messenger, in its own thread.
    """

    def tell(engine: Engine, telemetry: Telemetry) -> Attached:
        settings = OpenTelemetry(
            spans_above=spans_above,
            tracer_provider=telemetry.tracers,
            meter_provider=telemetry.meters,
        )
        observer = observe(engine, name=NAME, opentelemetry=settings)

        def check() -> None:
            _check(observer)
            if "db.client.connection.use_time" not in telemetry.collect():
                raise RuntimeError("recorded no metric")
            if spans_above == 0 and not telemetry.spans_ended:
                raise RuntimeError("made no span")

        return Attached(afterwards=observer.deliver, check=check)

    return tell


def settled(tell: Tell) -> Tell:
    """The same, with the watchdog's and the messenger's work done on the application's time."""
    return lambda engine, telemetry: _settled(tell(engine, telemetry))


def _check(observer: PoolObserver) -> None:
    """An observer that fails is quiet about it, and may be fast."""
    totals = observer.snapshot().totals
    if totals.internal_errors:
        raise RuntimeError(f"internal errors: {dict(totals.internal_errors)}")
    if not any(holder.checkouts for holder in totals.holders.values()):
        raise RuntimeError("saw no checkout")


class NoSites(SiteFinder):
    """Walks no stack."""

    def find(self, frame: FrameType | None) -> RawSite | None:
        return None


class WaitsAndHolds(Attachment):
    """Overrides the pool, and leaves the dialect alone: no activity, no ping time."""

    def follow_dialects(self) -> None: ...


def part(*, sites: bool, activity: bool) -> Attach:
    """`observe(engine)` with some of it left out."""

    def attach(engine: Engine) -> Attached:
        # Substituted rather than configured: users have no such switches, and need none.
        with ExitStack() as substitutes:
            if not sites:
                substitutes.enter_context(mock.patch.object(observer_module, "SiteFinder", NoSites))
            if not activity:
                substitutes.enter_context(
                    mock.patch.object(observer_module, "Attachment", WaitsAndHolds)
                )
            return everything(engine)

    return attach
