"""pool_observer, whole and in parts."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from types import FrameType
from unittest import mock

from sqlalchemy import Engine

from benchmarks.attached import Attach, Attached
from pool_observer import PoolObserver, observe
from pool_observer import observer as observer_module
from pool_observer.call_site import RawSite, SiteFinder
from pool_observer.hooks.attachment import Attachment

NAME = "benchmark"


def everything(engine: Engine) -> Attached:
    """`observe(engine)`, as users call it; settling is left to the watchdog."""
    observer = observe(engine, name=NAME)
    return Attached(afterwards=observer.deliver, check=lambda: _check(observer))


def everything_settled(engine: Engine) -> Attached:
    """The same, with the watchdog's work done on the application's time: all CPU there is."""
    return replace(everything(engine), afterwards_counts=True)


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
