"""Observes every engine that is created, and names every application's requests.

For `PoolObserverInstrumentor`. Engines and applications are caught where they are made, in
their classes, so that it does not matter who imported what before.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import threading
import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

from sqlalchemy.engine import Engine

from pool_observer.asgi.installing import Installation, install
from pool_observer.hooks.naming import default_name
from pool_observer.observer import PoolObserver, StandIn
from pool_observer.opentelemetry.exporting import export
from pool_observer.opentelemetry.settings import OpenTelemetry
from pool_observer.overrides import Override
from pool_observer.wiring import observe, observers_in_use

logger = logging.getLogger("pool_observer")

MOST_POOLS = 100
"""Pools observed at a time. Who makes an engine for every request shall not make us a series
for each."""

APPLICATIONS = (("starlette.applications", "Starlette"), ("fastapi.applications", "FastAPI"))

Made = Callable[[Any], None]


class Automatic:
    """Observes what is created from `begin()` until `end()`."""

    def __init__(self, settings: OpenTelemetry, leak_after: float) -> None:
        self._settings = settings
        self._leak_after = leak_after
        self._lock = threading.RLock()
        self._overrides: list[Override] = []
        self._installations: weakref.WeakSet[Installation] = weakref.WeakSet()
        self._said: set[str] = set()
        self._ended = False

    def begin(self) -> None:
        """Observe what is created from now on."""
        self._catch(Engine, self.observe)
        for module, name in APPLICATIONS:
            if importlib.util.find_spec(module.partition(".")[0]) is not None:
                self._catch(getattr(importlib.import_module(module), name), self.name_requests)

    def end(self) -> None:
        """Leave nothing behind."""
        self._ended = True
        for override in self._overrides:
            override.undo()
        for installation in list(self._installations):
            installation.remove(self)
        for observer in observers_in_use():
            if observer.stand_in is not None:
                observer.close()
            elif observer.stop_telling is not None:
                observer.stop_telling()

    # -- engines -----------------------------------------------------------------------------

    def observe(self, engine: Engine) -> None:
        """Observe this engine, unless somebody does."""
        with self._lock:
            taken = {observer.name for observer in observers_in_use()}
            if any(observer.observes(engine.pool) for observer in observers_in_use()):
                return
            if len(taken) >= MOST_POOLS:
                self._say_once(
                    f"{MOST_POOLS} engines are observed, and no more will be. Is there one "
                    "created for each request or job? Create it once."
                )
                return
            observer = observe(
                engine,
                name=_free_name(default_name(engine.url), taken),
                leak_after=self._leak_after,
                registry=None,
                opentelemetry=self._settings,
            )
            reference = weakref.ref(engine)

            def observe_again() -> None:
                engine = reference()
                if engine is not None:
                    self.observe(engine)

            observer.stand_in = StandIn(self._tell, observe_again)

    def _tell(self, observer: PoolObserver) -> None:
        observer.stop_telling = export(observer, self._settings)

    # -- applications ------------------------------------------------------------------------

    def name_requests(self, app: Any) -> None:
        """Have connections held on behalf of this application's routes."""
        with self._lock:
            self._installations.add(install(app, self))

    def note_failure(self, place: str) -> None:
        """Failures of the middleware are counted by one of the observers."""
        for observer in observers_in_use():
            observer.note_failure(place)
            return

    def follow_running_loop(self) -> None:
        """The loop of an application is that of all pools, as far as anybody knows."""
        for observer in observers_in_use():
            observer.follow_running_loop()

    # -- inside ------------------------------------------------------------------------------

    def _catch(self, made: type, then: Made) -> None:
        """Have something done with each new object of this class."""
        original = made.__dict__["__init__"]

        @functools.wraps(original)
        def __init__(instance: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            original(instance, *args, **kwargs)
            if self._ended:
                return
            try:
                then(instance)
            except Exception as error:
                error.__suppress_context__ = True  # it is not ours, and may quote anything
                self._say_once(
                    f"pool_observer could not follow a new {made.__name__}; the application is "
                    "not affected.",
                    error,
                )

        self._overrides.append(Override(made, "__init__", __init__))

    def _say_once(self, sentence: str, error: Exception | None = None) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            logger.warning(sentence, exc_info=error)


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(free for number in count(2) if (free := f"{name}#{number}") not in taken)
