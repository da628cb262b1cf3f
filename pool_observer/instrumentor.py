"""`opentelemetry-instrument` finds this: all engines are observed, and nothing is written."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable
from typing import Any

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]
    BaseInstrumentor,  # theirs has no types
)

from pool_observer.automatic import Automatic
from pool_observer.opentelemetry.settings import OpenTelemetry
from pool_observer.thresholds import Thresholds

logger = logging.getLogger("pool_observer")

SPANS_ABOVE = "OTEL_PYTHON_POOL_OBSERVER_SPANS_ABOVE"
LEAK_AFTER = "OTEL_PYTHON_POOL_OBSERVER_LEAK_AFTER"

_DEFAULTS = Thresholds()


class PoolObserverInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Observes every engine that is created, and tells OpenTelemetry.

    An engine that the application gives to `observe()` itself is observed as that says.

    >>> PoolObserverInstrumentor().instrument(spans_above=0.5)
    >>> PoolObserverInstrumentor().uninstrument()
    """

    _automatic: Automatic | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        return ("sqlalchemy >= 2.0",)

    def _instrument(
        self,
        *,
        tracer_provider: Any = None,
        meter_provider: Any = None,
        spans_above: float | None = None,
        leak_after: float | None = None,
        engine: Any = None,
        engines: Iterable[Any] = (),
        app: Any = None,
        **_: Any,
    ) -> None:
        """Begin.

        :param tracer_provider: where spans go; by default to the global provider.
        :param meter_provider: where metrics go; by default to the global provider.
        :param spans_above: as in `OpenTelemetry(spans_above=...)`.
        :param leak_after: as in `observe(leak_after=...)`.
        :param engine: an engine that exists already; `engines` takes several.
        :param app: a FastAPI or Starlette application that exists already.
        """
        if spans_above is None:
            spans_above = _seconds(SPANS_ABOVE, _DEFAULTS.span_after)
        if leak_after is None:
            leak_after = _seconds(LEAK_AFTER, _DEFAULTS.leak_after)
        settings = OpenTelemetry(
            spans_above=spans_above, tracer_provider=tracer_provider, meter_provider=meter_provider
        )
        self._automatic = automatic = Automatic(settings, leak_after)
        for each in (*engines, *([] if engine is None else [engine])):
            automatic.observe(getattr(each, "sync_engine", each))
        if app is not None:
            automatic.name_requests(app)
        automatic.begin()

    def _uninstrument(self, **_: Any) -> None:
        if self._automatic is not None:
            self._automatic.end()
            self._automatic = None


def _seconds(variable: str, default: float) -> float:
    """A number of seconds from the environment, where nobody can be raised at."""
    written = os.environ.get(variable, "")
    try:
        seconds = float(written or default)
    except ValueError:
        seconds = -1
    if seconds >= 0:
        return seconds
    logger.warning("%s must be a number of seconds, 0 or more, not %r", variable, written)
    return default
